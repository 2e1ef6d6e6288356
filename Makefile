# `make` alone lists what there is.
SHELL := /bin/bash
bin := .venv/bin
python := $(bin)/python
SHARED_DIR ?= ../shared
# Settings as in production, for the checks that look at them.
production := SECRET_KEY=$$($(python) -c 'import secrets; print(secrets.token_urlsafe(64))') \
	DATA_DIR=.venv/data-of-checks ALLOWED_HOSTS=bakery.example HTTPS_ONLY=on DEBUG=off DATABASE_URL= REDIS_URL=

.PHONY: help run test test-pg lint format types imports schema check bench backup surface lock
help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

run:  ## set up and run the bakery (bin/run)
	bin/run

test:  ## set up and run the whole suite on every database that is there (bin/test)
	bin/test

test-pg:  ## run the suite on PostgreSQL only; arguments in ARGS
	bin/test --only-postgres $(ARGS)

lint:  ## style and common mistakes
	$(bin)/ruff check .
	$(bin)/ruff format --check .

format:  ## put the style right
	$(bin)/ruff check --fix .
	$(bin)/ruff format .

types:  ## static types
	$(bin)/mypy .

imports:  ## who may import whom
	$(bin)/lint-imports

schema:  ## migrations and the OpenAPI document are complete and true
	$(production) $(python) manage.py makemigrations --check --dry-run
	$(production) $(python) manage.py spectacular --validate --fail-on-warn --file /dev/null
	set -o pipefail; $(production) $(python) manage.py surface | diff -u docs/api-surface.txt - || \
		{ echo "The API's surface has changed: look at it, then run make surface."; exit 1; }

check: lint types imports schema  ## all of the above, and Django's own checks for production
	$(production) $(python) manage.py check --deploy --fail-level WARNING

bench:  ## compare with the peers in SHARED_DIR (docs/performance.md); arguments in ARGS
	@test -f $(SHARED_DIR)/peers/compare.py || { echo "make bench needs the peers: SHARED_DIR=… make bench"; exit 1; }
	$(python) $(SHARED_DIR)/peers/compare.py bench/bakery.json $(SHARED_DIR)/peers/floor.json $(ARGS)

backup:  ## back up the shop that bin/run runs
	$(python) manage.py backup

surface:  ## write docs/api-surface.txt
	$(production) $(python) manage.py surface >docs/api-surface.txt

lock:  ## lock the requirements anew, with their hashes
	@command -v $(bin)/uv >/dev/null || { echo "make lock needs the requirements of dev: bin/setup dev"; exit 1; }
	for set in dev s3 production base; do \
		[ $$set = dev ] && same= || same="-c requirements/dev.txt"; \
		$(bin)/uv pip compile --quiet --upgrade --generate-hashes --universal --python-version 3.11 --no-emit-index-url \
			--no-annotate $$same --custom-compile-command "make lock" -o requirements/$$set.txt requirements/$$set.in || exit; \
	done
