"""Check for the system libraries that Qt loads; install them on Debian as root, else say how.

Qt's own libraries come with PySide6. What they need of the system (X11, OpenGL, fonts) does not,
and without it the window fails at start with a message that helps nobody.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

DEBIAN_PACKAGES = (
    "libdbus-1-3 libegl1 libfontconfig1 libgl1 libglib2.0-0 libxcb-cursor0 libxcb-icccm4"
    " libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-shm0"
    " libxcb-sync1 libxcb-xfixes0 libxcb-xinerama0 libxcb-xkb1 libxkbcommon-x11-0 libxkbcommon0"
    " fonts-dejavu-core xvfb xauth"
).split()
FEDORA_PACKAGES = (
    "dbus-libs fontconfig libglvnd-egl libglvnd-glx libxkbcommon libxkbcommon-x11 xcb-util-cursor"
    " xcb-util-image xcb-util-keysyms xcb-util-renderutil xcb-util-wm dejavu-sans-fonts"
    " xorg-x11-server-Xvfb"
).split()


def missing_libraries() -> set[str]:
    """Names of shared libraries that Qt's window and offscreen plug-ins ask for in vain."""
    spec = importlib.util.find_spec("PySide6")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("PySide6 is not installed: run `make setup` first.")
    platforms = Path(spec.submodule_search_locations[0]) / "Qt" / "plugins" / "platforms"
    missing = set()
    for plugin in (platforms / "libqxcb.so", platforms / "libqoffscreen.so"):
        listing = subprocess.run(["ldd", plugin], capture_output=True, text=True, check=True).stdout
        missing |= {line.split()[0] for line in listing.splitlines() if "not found" in line}
    return missing


def lacks() -> str:
    """What of the system is missing, in words; empty where nothing is."""
    parts = sorted(missing_libraries())
    if not any(Path(folder).is_dir() for folder in ("/usr/share/fonts", "/usr/local/share/fonts")):
        parts.append("fonts")
    return ", ".join(parts)


def main() -> int:
    if not sys.platform.startswith("linux") or not (missing := lacks()):
        return 0
    debian = shutil.which("apt-get") is not None
    if debian and os.geteuid() == 0:
        print(f"Installing what Qt needs of the system ({missing}).", file=sys.stderr)
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=True, env=environment)
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *DEBIAN_PACKAGES]
        subprocess.run(install, check=True, env=environment, stdout=subprocess.DEVNULL)
        if not (missing := lacks()):
            return 0
    command = (
        f"sudo apt-get install {' '.join(DEBIAN_PACKAGES)}"
        if debian
        else f"sudo dnf install {' '.join(FEDORA_PACKAGES)}"
    )
    print(
        f"Qt needs system libraries: {missing}.\nInstall them with:\n  {command}", file=sys.stderr
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
