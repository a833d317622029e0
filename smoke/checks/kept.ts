import { isDeepStrictEqual } from 'node:util'
import { findTable, tablePath } from '../../src/adapters/bigquery/tables.ts'
import { literal } from '../../src/domain/literal.ts'
import { type Check, fails, holds, notLocal, skipped } from '../check.ts'
import { makeTarget, publish, publishing, type SmokeTarget, target, targetScript } from '../target.ts'
import { failureIn, said, type World } from '../world.ts'

const publications = 20

/** tables.get, whole. */
type Resource = Readonly<Record<string, unknown>> & {
  readonly schema: { readonly fields: readonly Readonly<Record<string, unknown>>[] }
}

/** One thing that somebody may have put on a table, how to put it there, and how to see it. */
type Thing = { readonly name: string; readonly put: () => Promise<unknown>; readonly look: () => Promise<unknown> }

const grant = (table: string, member: string) =>
  `GRANT \`roles/bigquery.dataViewer\` ON TABLE ${table} TO ${literal.string(member)}`
const rowPolicy = (table: string, member: string) =>
  `CREATE ROW ACCESS POLICY smoke ON ${table} GRANT TO (${literal.string(member)}) FILTER USING (TRUE)`

/** 11 */
export const kept: Check = {
  number: 11,
  title: `table IAM, row policy, policy tag and descriptions after ${publications} publications`,
  does: `puts each of them on a target (the policy tag with --policy-tag), publishes ${publications} times in replace mode, looks again`,
  verifies:
    'TRUNCATE and DML keep what a copy or a WRITE_TRUNCATE removes (Row-level security: "DML must use a TRUE filter"; a copy from a table without policies removes them); after many publications: [unv]',
  otherwise: 'what is lost is put back after each publication, or replace deletes by partitions',
  cost: { publications, tables: 8 },
  statements: names => {
    const made = target(names, 'c11', 'replace')
    const table = literal.table(made.tables.target)
    return [
      targetScript(names, made),
      'SELECT SESSION_USER()',
      'PATCH tables/… (column description, label, policy tag)',
      grant(table, 'user:you'),
      rowPolicy(table, 'user:you'),
      `-- ${publications} times`,
      publishing(made, { number: 1 }, '…').sql,
      'GET tables/…, POST tables/…:getIamPolicy, GET tables/…/rowAccessPolicies',
    ]
  },
  async run(world) {
    const made = await makeTarget(world, 'c11', 'replace')
    const things: Thing[] = []
    const missing: string[] = []
    for (const thing of await thingsOf(world, made)) {
      const failure = await failureIn(thing.put())
      if (failure === undefined) things.push(thing)
      else if (failure.status === 403 || failure.reason === 'accessDenied') missing.push(`${thing.name}: no right to set it`)
      else return fails(`${thing.name} could not be set: ${said(failure)}`)
    }
    if (world.api.local) missing.push('table IAM, row policy: not on the local server')
    else if (world.given.policyTag === undefined) missing.push('policy tag: needs --policy-tag')
    const before = await Promise.all(things.map(({ look }) => look()))
    for (let number = 1; number <= publications; number++) {
      const outcome = await publish(world, made, { number })
      if (outcome !== 'published') return fails(`publication ${number}: ${outcome}`)
    }
    const after = await Promise.all(things.map(({ look }) => look()))
    const lost = things.filter((_, index) => !isDeepStrictEqual(before[index], after[index])).map(({ name }) => name)
    const evidence = [
      `kept: ${things
        .map(({ name }) => name)
        .filter(name => !lost.includes(name))
        .join(', ')}`,
      ...missing,
    ].join('; ')
    if (lost.length > 0) return fails(`lost: ${lost.join(', ')}; ${evidence}`)
    if (world.api.local) return notLocal(` (${evidence})`)
    return missing.length > 0 ? skipped(evidence) : holds(evidence)
  },
}

async function thingsOf(world: World, made: SmokeTarget): Promise<readonly Thing[]> {
  const { api, given } = world
  const ref = made.tables.target
  const path = tablePath(ref)
  const table = async () => (await findTable(api, ref)) as unknown as Resource
  const columns = async (more: object) => {
    const { schema } = await table()
    const fields = schema.fields.map(field => (field.name === 'navn' ? { ...field, ...more } : field))
    return api.once({ method: 'PATCH', path, body: { schema: { fields } } })
  }
  const column = async (part: string) => (await table()).schema.fields.find(({ name }) => name === 'navn')?.[part]
  const things: Thing[] = [
    { name: 'description', put: async () => {}, look: async () => (await table()).description },
    { name: 'column description', put: () => columns({ description: 'smoke' }), look: () => column('description') },
    {
      name: 'label',
      put: () => api.once({ method: 'PATCH', path, body: { labels: { smoke: 'kept' } } }),
      look: async () => (await table()).labels,
    },
  ]
  if (given.policyTag !== undefined)
    things.push({
      name: 'policy tag',
      put: () => columns({ policyTags: { names: [given.policyTag] } }),
      look: () => column('policyTags'),
    })
  if (api.local) return things
  const { rows } = await world.script('c11-me', 'SELECT SESSION_USER() AS me')
  const me = String(rows[0]?.me)
  const member = `${me.endsWith('gserviceaccount.com') ? 'serviceAccount' : 'user'}:${me}`
  const name = literal.table(ref)
  return [
    ...things,
    {
      name: 'table IAM',
      put: () => world.script('c11-grant', grant(name, member)),
      look: async () =>
        (await api.once<{ bindings?: unknown }>({ method: 'POST', path: `${path}:getIamPolicy`, body: {} })).bindings,
    },
    {
      name: 'row policy',
      put: () => world.script('c11-policy', rowPolicy(name, member)),
      look: async () => {
        const list = await api.once<{ rowAccessPolicies?: readonly Record<string, unknown>[] }>({
          path: `${path}/rowAccessPolicies`,
        })
        return (list.rowAccessPolicies ?? []).map(({ rowAccessPolicyReference, filterPredicate }) => [
          rowAccessPolicyReference,
          filterPredicate,
        ])
      },
    },
  ]
}
