"""Python imports this at the start of the services of `modelyard ui`, which have its folder on their path.

MLflow's server is not ours to start in another way, and it fails in a clone whose path has a `%`.
"""

from pipeline.release.alembic_settings import accept_percent_signs

accept_percent_signs()
