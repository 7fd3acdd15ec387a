import type { Health, HttpResponse, Subsystem } from '../subsystem.js';

/** What is asked of a sub-system here. */
type Reporter = Pick<Subsystem, 'name' | 'health'>;

/** The state of the whole: the worst of its parts. */
export function overallHealth(subsystems: readonly Reporter[]): Health['status'] {
  const states = subsystems.map(subsystem => subsystem.health().status);
  return states.includes('failed') ? 'failed' : states.includes('degraded') ? 'degraded' : 'ok';
}

/** Health as JSON: 200 while the NMN serves, degraded or not; 503 when a part has failed, for whoever restarts it. */
export function healthResponse(subsystems: readonly Reporter[]): HttpResponse {
  const status = overallHealth(subsystems);
  const parts = Object.fromEntries(subsystems.map(subsystem => [subsystem.name, subsystem.health()]));
  return {
    status: status === 'failed' ? 503 : 200,
    contentType: 'application/json; charset=utf-8',
    body: `${JSON.stringify({ status, subsystems: parts })}\n`,
  };
}
