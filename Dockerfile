# Every process of Gegenstrom, and the command twin. See docker-compose.yml.
FROM python:3.11.14-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/gegenstrom
WORKDIR /src
# alone, so that a change of ours does not fetch the libraries again
COPY requirements.txt ./
RUN /opt/gegenstrom/bin/pip install --require-hashes --only-binary :all: -r requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY cli cli
COPY dashboards dashboards
COPY replay replay
COPY schemas schemas
COPY streams streams
COPY twin twin
RUN /opt/gegenstrom/bin/pip install --no-deps --no-build-isolation .

FROM python:3.11.14-slim-bookworm
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin gegenstrom \
 && install -d -o gegenstrom -g gegenstrom -m 0750 /var/lib/gegenstrom
COPY --from=build /opt/gegenstrom /opt/gegenstrom
ENV PATH=/opt/gegenstrom/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    TWIN_HOME=/var/lib/gegenstrom \
    TWIN_CACHE=/var/lib/gegenstrom/cache
USER gegenstrom
WORKDIR /var/lib/gegenstrom
VOLUME /var/lib/gegenstrom
# well when TWIN_READY_FILE is fresh; a process that names no such file is well as long as it runs
HEALTHCHECK --interval=15s --timeout=5s --retries=3 --start-period=60s CMD ["python", "-m", "streams.readiness"]
CMD ["twin", "--help"]
