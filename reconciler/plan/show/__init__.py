"""How a plan, its drift and the problems of a repository are shown: one file per format. Pure."""
