"""Make this checkout's `cloister` an installed package of the running environment: `python -I register.py CHECKOUT`.

As an editable install does, and without a build: links to the module and to the built labextension, and the metadata by
which jupyter-server-proxy finds the agent. What pyproject.toml says is the one source.
"""

import os
import shutil
import sys
import sysconfig
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    from pip._vendor import tomli as tomllib


def register(checkout: Path) -> None:
    """Link the module and the labextension, and write the metadata, in place of any that were there."""
    project = tomllib.loads((checkout / "python/pyproject.toml").read_text(encoding="utf-8"))["project"]
    name, version = project["name"], project["version"]
    packages = Path(sysconfig.get_paths()["purelib"])
    for old in packages.glob(f"{name}-*.dist-info"):
        shutil.rmtree(old)
    link(packages / name, checkout / "python" / name)
    link(Path(sys.prefix) / "share/jupyter/labextensions" / name, checkout / "python" / name / "labextension")
    metadata = packages / f"{name}-{version}.dist-info"
    files = {
        "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: {project['description']}\n",
        "INSTALLER": "cloister-setup\n",
        "entry_points.txt": entry_points(project.get("entry-points", {})),
    }
    # Made whole and then moved: half a package would be found, and not understood.
    fresh = packages / f".{metadata.name}.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    for file, text in files.items():
        (fresh / file).write_text(text, encoding="utf-8")
    record = "".join(f"{metadata.name}/{file},,\n" for file in (*files, "RECORD"))
    (fresh / "RECORD").write_text(record, encoding="utf-8")
    fresh.rename(metadata)
    # JupyterLab runs scripts of its own with Node, which reads the nearest package.json above: ours says they are modules.
    (Path(sys.prefix) / "package.json").write_text("{}\n", encoding="utf-8")


def link(place: Path, target: Path) -> None:
    """A symbolic link at `place`; what was there under this name is removed, never what it led to."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    elif place.is_symlink() or place.exists():
        place.unlink()
    os.symlink(target, place)


def entry_points(groups: "dict[str, dict[str, str]]") -> str:
    """`entry_points.txt`, as the packaging specification has it."""
    return "\n".join(
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in entries.items()) for group, entries in groups.items()
    )


if __name__ == "__main__":
    register(Path(sys.argv[1]).resolve())
