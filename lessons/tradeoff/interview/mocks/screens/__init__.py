"""The interview in a terminal and in JupyterLab: thin over the session."""
