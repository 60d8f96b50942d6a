"""Import contracts that import-linter does not have by itself; named in setup.cfg.

Both speak of direct imports and cover every module there is, so that a file added tomorrow is held
to them without anybody listing it. They have no way to make an exception.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class OwnerContract(Contract):
    """Only the `owners` import certain packages, such as sqlite3, gpiozero, or hw's own drivers.

    `packages`: each with everything below it. `open_to_all`: what anybody may import all the same,
    such as hw.ports. `owners`: single modules, not what lies below them. What lies inside a package
    may always import its neighbours. `within`: only importers below these are held to it.
    """

    type_name = "owner"

    packages = fields.ListField(subfield=fields.StringField())
    owners = fields.ListField(subfield=fields.StringField())
    open_to_all = fields.ListField(subfield=fields.StringField(), required=False)
    within = fields.ListField(subfield=fields.StringField(), required=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Broken by each module that is no owner and imports what is owned."""
        owners = cast(Collection[str], self.owners)
        free = cast(Collection[str] | None, self.open_to_all) or ()
        within = cast(Collection[str] | None, self.within) or tuple(graph.modules)
        offenders = sorted(
            (importer, imported)
            for package in cast(Collection[str], self.packages)
            for imported in _with_what_is_below(graph, package)
            if imported not in free
            for importer in graph.find_modules_that_directly_import(imported)
            if importer not in owners and not _is_inside(importer, package)
            if any(_is_inside(importer, part) for part in within)
        )
        return ContractCheck(kept=not offenders, metadata={"offenders": offenders})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """One line for each offender, and who may."""
        owners = ", ".join(cast(Collection[str], self.owners))
        for importer, imported in check.metadata["offenders"]:
            output.print_error(f"{importer} imports {imported}; only {owners} may.")


class ImportsOnlyContract(Contract):
    """Everything inside `package` imports only itself and the `allowed` top-level modules."""

    type_name = "imports_only"

    package = fields.StringField()
    allowed = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Broken by each import that leads out of the package to something not allowed."""
        package, allowed = str(self.package), cast(Collection[str], self.allowed)
        offenders = sorted(
            (importer, imported)
            for importer in _with_what_is_below(graph, package)
            for imported in graph.find_modules_directly_imported_by(importer)
            if not _is_inside(imported, package) and imported not in allowed
        )
        return ContractCheck(kept=not offenders, metadata={"offenders": offenders})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """One line for each import that leads out."""
        for importer, imported in check.metadata["offenders"]:
            output.print_error(f"{importer} imports {imported}, which {self.package} may not.")


def _with_what_is_below(graph: ImportGraph, package: str) -> set[str]:
    return {module for module in graph.modules if _is_inside(module, package)}


def _is_inside(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")
