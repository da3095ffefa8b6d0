# The image of a server: the runtime and its libraries, without torch, MLflow, Prefect or DVC.
#
#   docker build --target server -t modelyard-server .       the server alone; a bundle is mounted
#   docker build --build-context releases=.modelyard/products/NAME/releases --build-arg HASH=… -t NAME:HASH .
#                                                            the server and one release, the last stage
#
# docs/guide/deploy.md says how to run it. Tests hold what is said here without an engine: they install
# what the stage `build` installs and run the last stage's command under bubblewrap.
ARG PYTHON=3.11-slim-bookworm

FROM python:${PYTHON} AS build
WORKDIR /source
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY pipeline pipeline
COPY flows flows
RUN python -m venv /opt/server \
    && /opt/server/bin/python -m pip install --no-cache-dir --constraint constraints.txt ".[serve]" \
    && /opt/server/bin/python -m pip uninstall --yes pip setuptools

FROM python:${PYTHON} AS server
COPY --from=build /opt/server /opt/server
# The folder that the command starts in is nobody's to import from.
ENV PATH="/opt/server/bin:${PATH}" \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1
# By number, so that Kubernetes can tell that it is not root. Nothing is written: the file system may be read-only.
USER 65534:65534
WORKDIR /models
EXPOSE 8000
# SIGTERM: not ready for the drain time while it still answers, then it ends.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=2s --start-period=10s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health/ready', timeout=2)"]
ENTRYPOINT ["python", "-m", "pipeline.serving.server"]
# Other machines reach it, so it needs a token: MODELYARD_TOKEN_FILE or MODELYARD_TOKEN.
CMD ["--bundle", "/models/release", "--host", "0.0.0.0", "--port", "8000", "--drain", "10"]

# Empty, unless --build-context names the folder of releases.
FROM scratch AS releases

FROM server AS release
ARG HASH
# A release is signed: its signature lies beside its folder.
COPY --from=releases ${HASH}/ /models/release/
COPY --from=releases ${HASH}.sig /models/release.sig
