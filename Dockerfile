# The connector in a container: the receiver of webhooks, and with another command the scheduler or any program of it
# (docs/containers.md). tests/test_container.py carries out these instructions in a folder, without a container engine.
#
# Versions and digest are raised by Dependabot; nothing here names an index, pip's own configuration does.
FROM python:3.13.15-slim-trixie@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b AS build

WORKDIR /src
COPY requirements/build.txt requirements/container.txt requirements/
RUN python -m venv /opt/build && \
    /opt/build/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements/build.txt
RUN python -m venv /opt/connector && \
    /opt/connector/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements/container.txt
COPY plugins/credentials plugins/credentials
COPY plugins/webhooks plugins/webhooks
COPY tap-bigcommerce-orders tap-bigcommerce-orders
COPY target-freshbooks target-freshbooks
RUN /opt/build/bin/pip wheel --no-cache-dir --no-index --no-deps --no-build-isolation --wheel-dir /opt/wheels \
      ./plugins/credentials ./plugins/webhooks ./tap-bigcommerce-orders ./target-freshbooks && \
    /opt/connector/bin/pip install --no-cache-dir --no-index --no-deps /opt/wheels/*.whl
# Meltano takes the programs from PATH, and makes no environments of its own. What it writes goes to /data.
COPY meltano.yml deploy/entrypoint.sh deploy/schedule.py /project/
RUN sed -i '/^ *pip_url:/d' /project/meltano.yml && \
    ln -s /data /project/data && \
    ln -s /data/.meltano /project/.meltano

FROM python:3.13.15-slim-trixie@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b

RUN useradd --uid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin connector && \
    install -d -o connector -g connector -m 700 /data
COPY --from=build /opt/connector /opt/connector
COPY --from=build /project /project
ENV PATH=/opt/connector/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/data \
    MELTANO_PROJECT_ROOT=/project \
    MELTANO_SYS_DIR_ROOT=/data/.meltano \
    MELTANO_PROJECT_READONLY=true \
    PYTHONUNBUFFERED=1
WORKDIR /project
USER 10001:10001
VOLUME /data
EXPOSE 8788
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8789/readyz', timeout=5)"]
ENTRYPOINT ["sh", "/project/entrypoint.sh"]
CMD ["webhooks", "serve"]
