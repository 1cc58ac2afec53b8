"""What tests share: samples, servers of their own, verbs for a project; and where the files that they read are."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
GOLDEN = DATA / "golden"
NPM = ROOT / "tests" / "npm"
