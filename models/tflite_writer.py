"""Writes dlib's face recognition ResNet as a TFLite file, float32 or with int8 weights.

No TensorFlow: the object API of the TFLite schema that comes with `ai_edge_litert` writes it. The
affine layers and the input normalisation are folded into the convolutions in float64 (exact, since
the first convolution has no padding). The bytes depend on the weights and this file alone: equal
input, equal output, on every Python and NumPy, so that the manifest can pin the result's hash.
This module must never read a file or the network. It changes with the network's graph.

int8: the convolutions' filters, symmetric per output channel, scale = max |w| / 127; biases and
activations stay float32 ("dynamic range": the runtime quantises each activation as it comes).
Computed here rather than by a quantiser package, so that no other release can change the bytes.
"""

import math
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import flatbuffers  # type: ignore[import-untyped]  # comes with ai-edge-litert
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from models.dlib_resnet import INPUT_DIVISOR, INPUT_MEAN_RGB, Convolution, Weights

CHIP_SIDE_PX: Final = 150
_BLOCKS: Final = (3, 4, 3, 3, 1)
"""Residual blocks per width 32, 64, 128, 256, 256; the first of each after 32 is a down-block."""


class Precision(Enum):
    """How the weights are stored."""

    FLOAT32 = "float32"
    INT8 = "int8"


@dataclass(frozen=True, eq=False)
class _Folded:
    """A convolution ready to be written: filters (out, rows, columns, in) and bias, float32."""

    filters: NDArray[np.float32]
    bias: NDArray[np.float32]
    stride: int
    padded: bool


def write_embedder(weights: Weights, precision: Precision) -> bytes:
    """The whole network as a TFLite file.

    Input float32 (1, 150, 150, 3), RGB 0..255; output float32 (1, 128), not normalised.
    One image per call: two calls were measured faster than one with a batch of two.
    """
    graph = _Graph(precision)
    folded = [_fold(layer, first=index == 0) for index, layer in enumerate(weights.convolutions)]
    at = graph.input((CHIP_SIDE_PX, CHIP_SIDE_PX, 3))
    at = graph.pool(graph.convolve(at, folded[0], relu=True), side=3, largest=True)
    queue = iter(folded[1:])
    for group, blocks in enumerate(_BLOCKS):
        for block in range(blocks):
            at = _residual(graph, at, next(queue), next(queue), down=group > 0 and block == 0)
    at = graph.project(graph.mean(at), weights.projection.T)
    return graph.finish(at)


def _residual(graph: "_Graph", at: int, first: _Folded, second: _Folded, down: bool) -> int:
    """relu(second(relu(first(x))) + x); in a down-block x is halved by a 2 x 2 average."""
    inner = graph.convolve(graph.convolve(at, first, relu=True), second, relu=False)
    shortcut = graph.pool(at, side=2, largest=False) if down else at
    shape = tuple(map(max, graph.shape(inner), graph.shape(shortcut)))
    return graph.add(graph.pad_to(inner, shape), graph.pad_to(shortcut, shape))


def _fold(layer: Convolution, first: bool) -> _Folded:
    """Fold the affine layer, and for the first layer the input normalisation, in float64."""
    scale = layer.scale.astype(np.float64)
    filters = layer.filters.astype(np.float64) * scale[:, None, None, None]
    bias = layer.biases.astype(np.float64) * scale + layer.shift
    if first:
        filters /= INPUT_DIVISOR
        weighted = filters * np.array(INPUT_MEAN_RGB)[None, :, None, None]
        # fsum: exact, so the same bytes whatever order a machine's vector unit would add in.
        bias -= np.array([math.fsum(one.ravel()) for one in weighted])
    ordered = np.ascontiguousarray(filters.transpose(0, 2, 3, 1), dtype=np.float32)
    return _Folded(ordered, bias.astype(np.float32), layer.stride, layer.padding > 0)


def quantise(
    weights: NDArray[np.float32],
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Symmetric int8 per first axis: (values -127..127 shaped as given, scales float32 (out,))."""
    flat = weights.reshape(len(weights), -1)
    largest = np.abs(flat).max(axis=1)
    scales = (np.where(largest > 0, largest, np.float32(1)) / np.float32(127)).astype(np.float32)
    values = np.clip(np.rint(flat / scales[:, None]), -127, 127).astype(np.int8)
    return values.reshape(weights.shape), scales


class _Graph:
    """Collects tensors, buffers and operators; tensors are named by their index."""

    def __init__(self, precision: Precision) -> None:
        self._precision = precision
        self._tensors: list[Any] = []
        self._buffers: list[Any] = [schema.BufferT()]
        self._operators: list[Any] = []
        self._codes: list[tuple[int, int]] = []

    def shape(self, tensor: int) -> tuple[int, ...]:
        """The tensor's shape, batch first."""
        return tuple(self._tensors[tensor].shape)

    def input(self, shape: tuple[int, ...]) -> int:
        """The one input tensor."""
        return self._activation((1, *shape), b"chip")

    def convolve(self, at: int, layer: _Folded, relu: bool) -> int:
        """Convolution with the layer's stride, padding and bias."""
        options = schema.Conv2DOptionsT()
        options.padding = schema.Padding.SAME if layer.padded else schema.Padding.VALID
        options.strideH = options.strideW = layer.stride
        options.fusedActivationFunction = _activation_of(relu)
        _, rows, columns, _ = self.shape(at)
        out, kernel, _, _ = layer.filters.shape
        if not layer.padded:
            rows, columns = (1 + (n - kernel) // layer.stride for n in (rows, columns))
        inputs = [at, self._weights(layer.filters), self._constant(layer.bias)]
        version = 1 if self._precision is Precision.FLOAT32 else 5
        return self._operate(
            schema.BuiltinOperator.CONV_2D,
            version,
            inputs,
            (1, rows, columns, out),
            schema.BuiltinOptions.Conv2DOptions,
            options,
        )

    def pool(self, at: int, side: int, largest: bool) -> int:
        """Maximum or average over side x side, stride 2, no padding."""
        options = schema.Pool2DOptionsT()
        options.padding = schema.Padding.VALID
        options.strideH = options.strideW = 2
        options.filterHeight = options.filterWidth = side
        operator = schema.BuiltinOperator
        _, rows, columns, channels = self.shape(at)
        shape = (1, 1 + (rows - side) // 2, 1 + (columns - side) // 2, channels)
        return self._operate(
            operator.MAX_POOL_2D if largest else operator.AVERAGE_POOL_2D,
            1,
            [at],
            shape,
            schema.BuiltinOptions.Pool2DOptions,
            options,
        )

    def pad_to(self, at: int, shape: tuple[int, ...]) -> int:
        """Zeros at the end of each axis up to `shape`; nothing where it is so already."""
        ours = self.shape(at)
        if ours == shape:
            return at
        amounts = np.array([[0, wanted - n] for n, wanted in zip(ours, shape, strict=True)])
        return self._operate(
            schema.BuiltinOperator.PAD,
            1,
            [at, self._constant(amounts.astype(np.int32))],
            shape,
            schema.BuiltinOptions.PadOptions,
            schema.PadOptionsT(),
        )

    def add(self, left: int, right: int) -> int:
        """Sum and ReLU."""
        options = schema.AddOptionsT()
        options.fusedActivationFunction = _activation_of(True)
        return self._operate(
            schema.BuiltinOperator.ADD,
            1,
            [left, right],
            self.shape(left),
            schema.BuiltinOptions.AddOptions,
            options,
        )

    def mean(self, at: int) -> int:
        """Average over rows and columns."""
        options = schema.ReducerOptionsT()
        options.keepDims = False
        axes = self._constant(np.array([1, 2], dtype=np.int32))
        return self._operate(
            schema.BuiltinOperator.MEAN,
            1,
            [at, axes],
            (1, self.shape(at)[3]),
            schema.BuiltinOptions.ReducerOptions,
            options,
        )

    def project(self, at: int, matrix: NDArray[np.float32]) -> int:
        """Product with `matrix` (outputs, inputs), no bias.

        Always float32: tflite-runtime 2.14 can't multiply a matrix of int8 per channel (its output
        is 0), and it is 2 % of the file.
        """
        options = schema.FullyConnectedOptionsT()
        weights = self._constant(np.ascontiguousarray(matrix))
        return self._operate(
            schema.BuiltinOperator.FULLY_CONNECTED,
            1,
            [at, weights, -1],
            (1, len(matrix)),
            schema.BuiltinOptions.FullyConnectedOptions,
            options,
        )

    def finish(self, output: int) -> bytes:
        """The file's bytes, with `output` as the one output."""
        self._tensors[output].name = b"embedding"
        graph = schema.SubGraphT()
        graph.name = b"main"
        graph.tensors, graph.operators = self._tensors, self._operators
        graph.inputs, graph.outputs = [0], [output]
        model = schema.ModelT()
        model.version = 3
        model.description = f"dlib face recognition ResNet, {self._precision.value}".encode()
        model.operatorCodes = [_code(*pair) for pair in self._codes]
        model.subgraphs, model.buffers = [graph], self._buffers
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def _operate(
        self,
        operator: int,
        version: int,
        inputs: list[int],
        shape: tuple[int, ...],
        options_type: int,
        options: Any,
    ) -> int:
        if (operator, version) not in self._codes:
            self._codes.append((operator, version))
        output = self._activation(shape, f"activation_{len(self._operators)}".encode())
        made = schema.OperatorT()
        made.opcodeIndex = self._codes.index((operator, version))
        made.inputs, made.outputs = inputs, [output]
        made.builtinOptionsType, made.builtinOptions = options_type, options
        self._operators.append(made)
        return output

    def _weights(self, values: NDArray[np.float32]) -> int:
        """Filters, stored in the graph's precision."""
        if self._precision is Precision.FLOAT32:
            return self._constant(values)
        stored, scales = quantise(values)
        index = self._constant(stored)
        quantisation = schema.QuantizationParametersT()
        quantisation.scale = scales
        quantisation.zeroPoint = np.zeros(len(scales), dtype=np.int64)
        quantisation.quantizedDimension = 0
        self._tensors[index].quantization = quantisation
        return index

    def _constant(self, values: NDArray[Any]) -> int:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(values.tobytes(), dtype=np.uint8)
        self._buffers.append(buffer)
        kind = {
            "float32": schema.TensorType.FLOAT32,
            "int32": schema.TensorType.INT32,
            "int8": schema.TensorType.INT8,
        }[values.dtype.name]
        name = f"constant_{len(self._buffers) - 1}".encode()
        return self._tensor(values.shape, kind, len(self._buffers) - 1, name)

    def _activation(self, shape: tuple[int, ...], name: bytes) -> int:
        return self._tensor(shape, schema.TensorType.FLOAT32, 0, name)

    def _tensor(self, shape: tuple[int, ...], kind: int, buffer: int, name: bytes) -> int:
        tensor = schema.TensorT()
        tensor.shape, tensor.type, tensor.buffer, tensor.name = list(shape), kind, buffer, name
        self._tensors.append(tensor)
        return len(self._tensors) - 1


def _activation_of(relu: bool) -> int:
    kinds = schema.ActivationFunctionType
    return int(kinds.RELU if relu else kinds.NONE)


def _code(operator: int, version: int) -> Any:
    code = schema.OperatorCodeT()
    code.builtinCode, code.version = operator, version
    code.deprecatedBuiltinCode = min(operator, 127)
    return code
