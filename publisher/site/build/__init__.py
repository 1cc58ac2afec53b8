"""Posts -> public/: only what changed is made, every file is replaced at once or not at all."""

from publisher.site.build.builder import BuildReport, build

__all__ = ["BuildReport", "build"]
