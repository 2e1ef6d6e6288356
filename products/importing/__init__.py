"""Files of products: `plan` says what one means for the catalogue, `apply` brings it in, `undo` takes it back,
`uploads` has those of the admin wait for a look, or for the worker.
"""

from products.importing.apply import Progress, import_products
from products.importing.plan import Change, Plan, SourceFile, plan_import, read_file
from products.importing.undo import undo_import

__all__ = [
    "Change",
    "Plan",
    "Progress",
    "SourceFile",
    "import_products",
    "plan_import",
    "read_file",
    "undo_import",
]
