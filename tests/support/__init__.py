"""What tests share: samples, servers, short methods for a project, and the paths of the files that they read."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
GOLDEN = DATA / "golden"
NPM = ROOT / "tests" / "npm"
