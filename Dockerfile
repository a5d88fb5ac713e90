# The command line with librdkafka; the home is /data.
FROM python:3.11-slim

WORKDIR /app
COPY . .
RUN pip install --no-cache-dir --require-hashes -r locks/run.txt \
    && pip install --no-cache-dir --no-deps . \
    && useradd --uid 10001 homemeeting \
    && mkdir /data \
    && chown homemeeting /data

USER homemeeting
WORKDIR /data
VOLUME /data
ENTRYPOINT ["homemeeting", "--home", "/data"]
