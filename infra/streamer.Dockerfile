# The streamer's image: Node runs the TypeScript itself, so there is nothing to build.
FROM public.ecr.aws/docker/library/node:24-slim AS packages
WORKDIR /service
COPY package.json package-lock.json ./
# Not `npm ci`: local/run.cjs says why.
RUN npm install --no-save --omit=dev --omit=optional --ignore-scripts

FROM public.ecr.aws/docker/library/node:24-slim
ENV NODE_ENV=production
WORKDIR /service
COPY --from=packages /service/node_modules node_modules
COPY package.json ./
COPY shared shared
COPY streamer streamer
USER node
# The flags of streamer/node-flags.ts.
CMD ["node", "--max-semi-space-size=2", "streamer/main.ts"]
