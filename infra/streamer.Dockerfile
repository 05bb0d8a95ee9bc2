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
CMD ["node", "streamer/main.ts"]
