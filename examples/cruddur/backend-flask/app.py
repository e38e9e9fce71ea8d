"""The smallest Cruddur backend: says that it is well, and which version it is."""

import signal
import sys
from pathlib import Path

from flask import Flask

app = Flask(__name__)
version = (Path(__file__).parent / "VERSION").read_text().strip()


@app.route("/")
def home():
    return {"app": "cruddur", "version": version}


@app.route("/api/health-check")
def health_check():
    return {"success": True, "ver": version}


# ECS stops a task with SIGTERM. The first process of a container ignores signals it has no handler for, and would then
# be killed only after the stop timeout.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
