import { afterAll, beforeAll, describe } from 'vitest'
import { startLocal } from '../support/local.ts'
import { contract, patience } from './contract.ts'
import { subjectOn } from './subject.ts'

describe('the contract on our own server', patience, () => {
  const on = subjectOn('ours')
  beforeAll(() => on.start(startLocal), patience.timeout)
  afterAll(() => on.stop())
  contract(on)
})
