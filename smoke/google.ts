import { BigQuery } from '@google-cloud/bigquery'
import { PassThroughClient } from 'google-auth-library'

/** Google's client, at the service with its own credentials, or at an emulator without any. */
export function clientOf(to: { project: string; location: string; endpoint: string | undefined }): BigQuery {
  const address = to.endpoint === undefined ? {} : { apiEndpoint: to.endpoint, authClient: new PassThroughClient() }
  return new BigQuery({ projectId: to.project, location: to.location, ...address })
}
