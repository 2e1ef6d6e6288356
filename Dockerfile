# The same steps as bin/run: the locked requirements, `manage.py prepare`, gunicorn. See docs/operations.md.
FROM python:3.12-slim-bookworm

# pg_dump and pg_restore, for backups.
RUN apt-get update \
    && apt-get install -y --no-install-recommends postgresql-client \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /bakery
# `s3` where pictures are kept in a bucket.
ARG REQUIREMENTS=production
COPY requirements/${REQUIREMENTS}.txt requirements/
RUN pip install --no-cache-dir --require-hashes -r requirements/${REQUIREMENTS}.txt

COPY . .
RUN useradd --system --uid 10001 --home-dir /data bakery \
    && install -d -o bakery -g bakery -m 700 /data
USER bakery
ENV DATA_DIR=/data HOST=0.0.0.0 PORT=8000 PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["python", "-c", \
    "import urllib.request; urllib.request.urlopen('http://localhost:8000/healthz', timeout=4)"]
CMD ["sh", "-c", "python manage.py prepare && exec python -m gunicorn --config python:bakery.gunicorn bakery.wsgi"]
