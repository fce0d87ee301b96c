# The engine in one image: workers, pages and the command line differ only in their command.
FROM python:3.13.12-slim-bookworm AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
COPY deploy/requirements.lock /tmp/requirements.lock
RUN /opt/venv/bin/pip install --require-hashes -r /tmp/requirements.lock

WORKDIR /app
COPY . .
# Not copied into the environment: coordinators mount their own config and templates over ours.
RUN /opt/venv/bin/pip install --no-deps --no-build-isolation --no-index -e . \
    && /opt/venv/bin/python -m compileall -q -j 0 /app


FROM python:3.13.12-slim-bookworm

LABEL org.opencontainers.image.title="mentorship-engine" org.opencontainers.image.licenses="Apache-2.0"

RUN groupadd --gid 10001 mentorship \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin mentorship
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app

# The file system may be read-only; nothing is written but to /tmp.
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
USER 10001:10001
# Pages, and what is watched: /metrics, /healthz, /readyz.
EXPOSE 8080 9464
CMD ["mentorship", "--help"]
