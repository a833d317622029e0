import { afterAll, beforeAll, describe } from 'vitest'
import { startLocal } from '../support/local.ts'
import { agreement } from './agreement.ts'
import { contract, patience } from './contract.ts'
import { subjectOn } from './subject.ts'
import { findPython, startIndependent } from './support.ts'

// The same on a server that others wrote. The two know nothing of each other and must agree.
const python = findPython()

describe.skipIf(python === undefined)('the contract on the independent server', patience, () => {
  const [on, ours] = [subjectOn('independent'), subjectOn('ours')]
  beforeAll(() => on.start(() => startIndependent(python ?? '')), patience.timeout)
  beforeAll(() => ours.start(startLocal), patience.timeout)
  afterAll(() => Promise.all([on.stop(), ours.stop()]))
  contract(on)
  agreement([ours, on])
})
