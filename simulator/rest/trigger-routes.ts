import type { Box } from '../box.ts';
import { alertRow } from '../trading/alerts.ts';
import { gttRow } from '../trading/gtt.ts';
import type { Call, Method, Route } from './call.ts';
import { inputError } from './kite-error.ts';
import { withWriteFaults } from './write-faults.ts';

const ID = { min: 1, max: Number.MAX_SAFE_INTEGER };
const PAGE = { min: 1, max: 100_000 };

export function triggerRoutes(box: Box): Route[] {
  const { gtts, alerts } = box;
  const route = (method: Method, path: string, handle: (call: Call) => unknown): Route => ({
    method,
    path,
    limit: 'other',
    handle,
  });
  const write = (call: Call, change: () => unknown) => withWriteFaults(box, call, 'named', change);
  const id = ({ form }: Call) => form.integer('trigger_id', ID);
  const uuid = ({ form }: Call) => form.text('uuid');
  return [
    route('GET', '/gtt/triggers', ({ session }) => gtts.list(session.user_id).map(gttRow)),
    route('POST', '/gtt/triggers', (call) =>
      write(call, () => ({ trigger_id: gtts.place(sourceOf(call), call.form).id })),
    ),
    route('GET', '/gtt/triggers/:trigger_id', (call) => gttRow(gtts.get(call.session.user_id, id(call)))),
    route('PUT', '/gtt/triggers/:trigger_id', (call) =>
      write(call, () => ({ trigger_id: gtts.modify(call.session.user_id, id(call), call.form).id })),
    ),
    route('DELETE', '/gtt/triggers/:trigger_id', (call) =>
      write(call, () => ({ trigger_id: gtts.delete(call.session.user_id, id(call)).id })),
    ),
    route('GET', '/alerts', (call) => listAlerts(box, call)),
    route('POST', '/alerts', (call) => alertRow(alerts.create(sourceOf(call), call.form))),
    route('DELETE', '/alerts', (call) => deleteAlerts(box, call)),
    route('GET', '/alerts/:uuid', (call) => alertRow(alerts.get(call.session.user_id, uuid(call)))),
    route('PUT', '/alerts/:uuid', (call) =>
      alertRow(alerts.modify(call.session.user_id, uuid(call), call.form)),
    ),
    route('GET', '/alerts/:uuid/history', (call) => alerts.get(call.session.user_id, uuid(call)).history),
  ];
}

const sourceOf = ({ session: { user_id, api_key } }: Call) => ({ user_id, api_key });

function listAlerts({ alerts }: Box, { session, form }: Call) {
  const status = form.has('status') ? form.oneOf('status', ['enabled', 'disabled', 'deleted']) : undefined;
  const page = form.integer('page', PAGE, 1);
  const size = form.integer('page_size', { min: 1, max: 1000 }, 100);
  return alerts
    .list(session.user_id, status)
    .slice((page - 1) * size, page * size)
    .map(alertRow);
}

function deleteAlerts({ alerts }: Box, { session, all }: Call): null {
  const uuids = all('uuid');
  if (uuids.length === 0) throw inputError('Missing or empty field `uuid`');
  alerts.delete(session.user_id, uuids);
  return null;
}
