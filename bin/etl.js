#!/usr/bin/env node
// Plain JavaScript: an old Node can't even load a .ts, so the version is checked here, in a sentence.
const major = Number(process.versions.node.split('.')[0])
if (major < 24) {
  console.error(
    `nais-etl needs Node 24 or newer; this is Node ${process.versions.node} (${process.execPath}). ` +
      'Hint: run it by npm (`npm run etl -- …`), which finds the Node 24 that `npm ci` installed; with --ignore-scripts that one is missing.',
  )
  process.exitCode = 1
} else {
  // A later start compiles nothing again, which halves it, for the local BigQuery that it starts too. A pod starts once.
  if (!process.env.NAIS_CLUSTER_NAME) {
    const { enableCompileCache } = await import('node:module')
    process.env.NODE_COMPILE_CACHE ||= enableCompileCache().directory ?? ''
  }
  const { main } = await import('../src/main.ts')
  await main(process.argv.slice(2))
  process.exit()
}
