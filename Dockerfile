# kubetape: one image for every role; the role is the first argument (`collect`, `sink`, `migrate`, …).
#
#   docker build --tag kubetape:0.1.0 .
#
# The sources run as they are. What is built is node-rdkafka, for the Node of this image; neither compiler nor package
# manager is left in the result, which runs as uid 1000 on a read-only file system and starts no shell.
# A digest makes the build repeatable:  --build-arg NODE_IMAGE=node:24.21.0-trixie-slim@sha256:…

ARG NODE_IMAGE=node:24.21.0-trixie-slim

FROM ${NODE_IMAGE} AS dependencies
RUN apt-get update \
 && apt-get install --yes --no-install-recommends g++ libssl-dev libzstd-dev make python3 zlib1g-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY package.json package-lock.json ./
# The optional packages are runtimes for workstations; this image is one. Not `npm ci`: it insists on development tools for
# every platform. The versions are those of the lock in either case.
RUN npm install --omit=dev --omit=optional --ignore-scripts --no-save --no-audit --no-fund
# The headers are those of this image. A parallel make breaks the build of librdkafka.
RUN JOBS=1 npm_config_nodedir=/usr/local npm rebuild node-rdkafka --foreground-scripts
# Of the build only the addon and its shared libraries are kept, without librdkafka's sources.
RUN cd node_modules/node-rdkafka \
 && mkdir -p kept/Release kept/deps \
 && cp build/Release/node-librdkafka.node kept/Release/ \
 && cp -d build/deps/librdkafka*.so* kept/deps/ \
 && rm -rf build deps src \
 && mv kept build

FROM ${NODE_IMAGE} AS runtime
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates libssl3t64 libzstd1 zlib1g \
 && rm -rf /var/lib/apt/lists/*
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /usr/local/bin/yarn* /opt/yarn*
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="kubetape" \
      org.opencontainers.image.description="The flight recorder for Kubernetes: every change of every object, exactly once, into Kafka and Postgres." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# A small young generation and few arenas of malloc: memory is flat, at two thirds of what the defaults take.
ENV NODE_ENV=production \
    NODE_OPTIONS=--max-semi-space-size=4 \
    MALLOC_ARENA_MAX=2
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY bin ./bin
COPY src ./src
USER 1000:1000
EXPOSE 9464 9465 9467
ENTRYPOINT ["/usr/local/bin/node", "/app/bin/kubetape.js"]
CMD ["--help"]
