# Images: Nav's Chainguard images (navikt/security-playbook, docs/10-verktoy/chainguard-dockerimages.md): a tag without a digest on purpose, since each build
# is to take the newest patches, and Dependabot can't raise them.
FROM europe-north1-docker.pkg.dev/cgr-nav/pull-through/nav.no/node:24-dev AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# What the runs need, no more: no evaluator, no test tools, and no second Node. The lock file says which bytes; install scripts of packages never run.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM europe-north1-docker.pkg.dev/cgr-nav/pull-through/nav.no/node:24-slim
WORKDIR /app
ENV NODE_ENV=production
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json ./
COPY bin ./bin
# TypeScript as it is: Node 24 strips the types, there is no build. Everything stays root's and read-only; a run writes to /tmp alone.
COPY src ./src
# nais runs every pod as 1069 with a read-only file system; the same here, so that the image behaves alike elsewhere.
USER 1069:1069
ENTRYPOINT ["node"]
CMD ["bin/etl.js", "--help"]
