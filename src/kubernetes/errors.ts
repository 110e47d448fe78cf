/** What an API server's refusals and a connection's failures mean. Pure. No message holds a response body. */
import { KubetapeError } from '../events/errors.ts';

/** The parts of a metav1.Status that matter. */
export interface Status {
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: {
    readonly retryAfterSeconds?: number;
    readonly causes?: readonly { readonly reason?: string; readonly message?: string }[];
  };
  readonly metadata?: { readonly continue?: string; readonly resourceVersion?: string };
}

export type Verdict =
  | { readonly is: 'expired' }
  | { readonly is: 'throttled'; readonly retryAfterMs: number | null }
  /** The server's cache is behind the resourceVersion asked for, or its resourceVersions went back. */
  | { readonly is: 'ahead' }
  | { readonly is: 'invalid' }
  | { readonly is: 'refused' };

/** @param status the HTTP status, or the code of a Status in an ERROR event */
export function verdictOf(status: number, body: Status | null, retryAfter: string | undefined): Verdict {
  if (status === 410 || body?.reason === 'Expired' || body?.reason === 'Gone') return { is: 'expired' };
  const causes = body?.details?.causes ?? [];
  if (causes.some((cause) => cause.reason === 'ResourceVersionTooLarge') || /too large resource version/i.test(body?.message ?? ''))
    return { is: 'ahead' };
  const seconds = Number(retryAfter ?? body?.details?.retryAfterSeconds);
  const retryAfterMs = Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 300) * 1000 : null;
  if (status === 429 || (retryAfterMs !== null && status >= 500)) return { is: 'throttled', retryAfterMs };
  if (status === 400 || status === 406 || status === 422) return { is: 'invalid' };
  return { is: 'refused' };
}

export function parseStatus(text: string): Status | null {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? parsed : null;
  } catch {
    return null;
  }
}

export function errorOfStatus(
  status: number,
  text: string,
  path: string,
  headers: Readonly<Record<string, string | string[] | undefined>> = {},
): KubetapeError {
  const body = parseStatus(text);
  const retry = headers['retry-after'];
  const said = body?.message === undefined ? '' : `: ${body.message.slice(0, 300)}`;
  const message = `the API server answered ${status} to ${path}${said}`;
  const cause = verdictOf(status, body, Array.isArray(retry) ? retry[0] : retry);
  if (status === 401) return new KubetapeError('KUBE_UNAUTHORIZED', message, { cause });
  if (status === 403) return new KubetapeError('KUBE_FORBIDDEN', message, { cause });
  if (status === 404) return new KubetapeError('KUBE_NOT_FOUND', message, { cause });
  return new KubetapeError('KUBE_UNREACHABLE', message, {
    cause,
    hint: 'The API server is up but does not serve this now; kubetape goes on trying.',
  });
}

/** @param error what undici threw */
export function errorOfTransport(error: unknown, server: string): KubetapeError {
  if (error instanceof KubetapeError) return error;
  const { code, message } = error as { code?: string; message?: string };
  const what = code ?? 'error';
  const certificate = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME|ERR_TLS/.test(what);
  return new KubetapeError(
    'KUBE_UNREACHABLE',
    `no answer from the API server at ${server} (${what}${message === undefined || message === '' ? '' : `: ${message.slice(0, 200)}`})`,
    certificate
      ? { hint: 'The certificate of the API server does not fit the kubeconfig (certificate-authority-data, tls-server-name).' }
      : {},
  );
}
