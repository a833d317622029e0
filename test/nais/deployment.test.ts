import { expect, test } from 'vitest'
import { deploymentOf, naisjobName } from '../../src/nais/deployment.ts'

test("the job's name is the package's, without its scope, or the one given for nais", () => {
  expect(deploymentOf({ name: '@navikt/apps', nais: { team: 'nais-analyse' } })).toEqual({ name: 'apps', team: 'nais-analyse' })
  expect(deploymentOf({ name: 'apps', nais: { team: 'nais-analyse', name: 'other' } }).name).toBe('other')
})

test.each([
  ['no team', { name: 'apps' }, /nais › team is missing. Hint: add "nais"/],
  ['a team that nais has no name for', { name: 'apps', nais: { team: 'Nais Analyse' } }, /"Nais Analyse" is no team of nais/],
  ['no name', { nais: { team: 'nais-analyse' } }, /nais › name: "" is no name/],
  ['a name with a capital', { name: 'Apps', nais: { team: 'nais-analyse' } }, /"Apps" is no name of a job/],
])('%s is refused in a sentence', (_, packageJson, sentence) => {
  expect(() => deploymentOf(packageJson)).toThrow(sentence)
})

test('48 characters are possible, 49 are not, and a number at the end counts', () => {
  expect(naisjobName('a'.repeat(48), 0)).toHaveLength(48)
  expect(() => naisjobName('a'.repeat(49), 0)).toThrow(/has 49 characters, at most 48 .* Hint: give it a shorter one/)
  expect(naisjobName('a'.repeat(46), 1)).toBe(`${'a'.repeat(46)}-2`)
  expect(() => naisjobName('a'.repeat(47), 1)).toThrow(/has 49 characters/)
})
