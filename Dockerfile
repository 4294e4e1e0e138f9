# Spacebot for a server that has PostgreSQL and Redis elsewhere; compose.yaml shows how they fit together.
FROM python:3.12-slim

RUN useradd --create-home --home-dir /srv/spacebot spacebot \
    && install -d -o spacebot -g spacebot /var/lib/spacebot
WORKDIR /srv/spacebot
USER spacebot

COPY --chown=spacebot:spacebot spacebot requirements.txt requirements-model.txt requirements-node.txt package.json package-lock.json ./
COPY --chown=spacebot:spacebot spacebot_site/__init__.py spacebot_site/
COPY --chown=spacebot:spacebot spacebot_site/launch spacebot_site/launch
RUN ./spacebot setup

COPY --chown=spacebot:spacebot . .

ENV SPACEBOT_HOME=/var/lib/spacebot SPACEBOT_BIND=0.0.0.0 SPACEBOT_PORT=8000
VOLUME /var/lib/spacebot
EXPOSE 8000
HEALTHCHECK --start-period=60s CMD ["./spacebot", "status"]
CMD ["./spacebot", "start", "--foreground"]
