import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allows, fromAuthorizerContext, SCOPES, toAuthorizerContext } from '#shared/http/principal.ts';

const principals = fc.record({
  key_id: fc.string({ minLength: 1 }),
  owner: fc.stringMatching(/^[A-Za-z0-9_.@-]{1,64}$/),
  name: fc.string(),
  scopes: fc.subarray([...SCOPES]),
});

describe('a principal', () => {
  it('comes out of the authoriser context as it went in', () => {
    fc.assert(
      fc.property(principals, (principal) => {
        expect(fromAuthorizerContext(toAuthorizerContext(principal))).toEqual(principal);
      }),
      { seed: 3 },
    );
  });

  it('gains nothing by a scope that does not exist', () => {
    const context = { key_id: 'k', owner: 'o', name: '', scopes: 'root read' };
    expect(fromAuthorizerContext(context)?.scopes).toEqual(['read']);
  });

  it('without scopes may nothing, with admin everything', () => {
    const base = { key_id: 'k', owner: 'o', name: '' };
    for (const scope of SCOPES) {
      expect(allows({ ...base, scopes: [] }, scope)).toBe(false);
      expect(allows({ ...base, scopes: ['admin'] }, scope)).toBe(true);
    }
    expect(allows({ ...base, scopes: ['trade'] }, 'read')).toBe(false);
  });
});
