# Built where the development tools are; run with what production needs.
FROM node:20.20.2-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build && npm prune --omit=dev

FROM node:20.20.2-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
# The lake is a mount; made here so that the volume belongs to the user who writes it.
RUN mkdir lake && chown node:node lake
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY --from=build /app/pipelines pipelines
USER node
# exec form: the worker is process 1 and gets the SIGTERM that lets it finish.
CMD ["node", "dist/src/worker/main.js"]
