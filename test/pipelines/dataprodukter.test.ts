import { testPipeline } from 'nais-etl/testing'
import pipeline from '../../src/pipelines/dataprodukter.ts'

testPipeline(pipeline, 'dataprodukter')
