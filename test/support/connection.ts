import type { Local } from './local.ts'

/** What a test does to the Postgres behind a connection of the local BigQuery: see src/local/routes/postgres.ts. Gives its address. */
export async function seedConnection(
  local: Pick<Local, 'url'>,
  connection: string,
  seed: { readonly sql?: string; readonly fresh?: boolean; readonly url?: string } = {},
): Promise<string> {
  const answer = await fetch(`${local.url}/_local/postgres`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ connection, ...seed }),
  })
  if (!answer.ok) throw new Error(await answer.text())
  return ((await answer.json()) as { url: string }).url
}
