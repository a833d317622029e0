import { expect, test } from 'vitest'
import { cronOf } from '../../src/engine/tick.ts'
import { goneNaisjobs, manifestFiles, manifestPaths } from '../../src/nais/files.ts'
import { copying, deployment } from './support.ts'

const one = [copying('a')]
const two = [copying('a'), copying('b', { schedule: '5 * * * *' })]
const naisjobs = (pipelines: typeof one) => manifestFiles(pipelines, deployment, cronOf)[0]?.text ?? ''

test('the order in which pipelines are found changes nothing', () => {
  expect(manifestFiles([...two].reverse(), deployment, cronOf)).toEqual(manifestFiles(two, deployment, cronOf))
})

test('a project without pipelines deploys nothing', () => {
  expect(manifestFiles([], deployment, cronOf)).toEqual([])
})

test('every path is one that a leftover is looked for by', () => {
  for (const file of manifestFiles(two, deployment, cronOf)) expect(manifestPaths).toContain(file.path)
})

test('a new schedule or a changed one renames no job; a schedule less leaves one to be deleted by hand', () => {
  expect(goneNaisjobs(naisjobs(one), naisjobs(two))).toEqual([])
  expect(goneNaisjobs(naisjobs(one), naisjobs([copying('a', { schedule: '0 7 * * *' })]))).toEqual([])
  expect(goneNaisjobs(naisjobs(two), naisjobs(one))).toEqual(['naisapps-agg-dataproduct-2'])
  expect(goneNaisjobs('', naisjobs(one))).toEqual([])
})
