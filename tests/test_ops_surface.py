from pathlib import Path

from bakery.management.commands.surface import surface


def test_the_surface_of_the_api_is_the_one_written_down():
    written = Path(__file__).parent.parent / "docs" / "api-surface.txt"

    assert surface() == written.read_text().splitlines(), "Look at the change, then run `make surface`."
