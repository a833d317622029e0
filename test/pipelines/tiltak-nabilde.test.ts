import { testPipeline } from 'nais-etl/testing'
import tiltakNabilde from '../../src/pipelines/tiltak-nabilde.ts'

testPipeline(tiltakNabilde, 'tiltak-nabilde')
