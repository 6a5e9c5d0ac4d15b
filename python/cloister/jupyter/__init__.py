"""How jupyter-server-proxy starts the agent, which serves Cloister's panels in JupyterLab and Notebook.

Found by the entry point `cloister` of the group `jupyter_serverproxy_servers`. `import cloister` in a notebook loads
nothing of this.
"""

from ._server_process import server_process

__all__ = ["server_process"]
