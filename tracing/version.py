"""Which version of the toolkit is this?"""

from typing import Final

VERSION: Final = "0.1.0"
