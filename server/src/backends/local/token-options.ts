import { foldName, GoJsonError, goQuote, parseGoJson, type GoNode } from './go-json.js';

/** Body of POST /v1/token, as the launcher's `models.TokenOptions` holds it after decoding. */
export interface TokenOptions {
  readonly audience: string;
  readonly tokenType: string;
  readonly nonces: readonly string[];
}

/** Where a value goes: Go's name of the enclosing struct, and the JSON names on the way to it. */
interface Place {
  readonly struct: string;
  readonly path: readonly string[];
}

type Field = (node: GoNode, place: Place) => void;

/**
 * Decodes as `json.Decoder` with DisallowUnknownFields does: names fit in any case, the last duplicate wins,
 * null leaves text as it was and empties a list, and of several wrong values the first is reported.
 * @throws GoJsonError with Go's text
 */
export function parseTokenOptions(body: Uint8Array): TokenOptions {
  return new TokenOptionsDecoder().decode(parseGoJson(body));
}

class TokenOptionsDecoder {
  private failure: GoJsonError | undefined;
  private audience = '';
  private tokenType = '';
  private readonly nonces = new GoSlice();
  private readonly keyIds = new GoSlice();

  decode(root: GoNode): TokenOptions {
    this.struct(root, { struct: 'TokenOptions', path: [] }, {
      audience: this.text(value => { this.audience = value; }),
      nonces: this.list(this.nonces),
      token_type: this.text(value => { this.tokenType = value; }),
      aws_principal_tag_options: this.nested('AWSPrincipalTagsOptions', {
        allowed_principal_tags: this.nested('AllowedPrincipalTags', {
          container_image_signatures: this.nested('ContainerImageSignatures', { key_ids: this.list(this.keyIds) })
        })
      })
    });
    if (this.failure !== undefined) throw this.failure;
    return { audience: this.audience, tokenType: this.tokenType, nonces: this.nonces.values() };
  }

  private struct(node: GoNode, place: Place, fields: Readonly<Record<string, Field>>): void {
    if (node.kind === 'null') return;
    if (node.kind !== 'object') {
      this.mismatch(node, place, 'models.TokenOptions');
      return;
    }
    for (const [key, value] of node.members) this.member(key, value, place, fields);
  }

  private member(key: string, value: GoNode, place: Place, fields: Readonly<Record<string, Field>>): void {
    const name = Object.keys(fields).find(field => field === foldName(key));
    const field = name === undefined ? undefined : fields[name];
    if (name === undefined || field === undefined) this.failure ??= new GoJsonError(`json: unknown field ${goQuote(key)}`);
    else field(value, { struct: place.struct, path: [...place.path, name] });
  }

  private nested(struct: string, fields: Readonly<Record<string, Field>>): Field {
    return (node, place) => {
      if (node.kind === 'object') this.struct(node, { struct, path: place.path }, fields);
      else if (node.kind !== 'null') this.mismatch(node, place, `models.${struct}`);
    };
  }

  private text(store: (value: string) => void): Field {
    return (node, place) => {
      if (node.kind === 'string') store(node.value);
      else if (node.kind !== 'null') this.mismatch(node, place, 'string');
    };
  }

  private list(slice: GoSlice): Field {
    return (node, place) => {
      if (node.kind === 'null') slice.clear();
      else if (node.kind === 'array') {
        slice.refill(node.items.map(item => store => this.text(store)(item, place)));
      } else this.mismatch(node, place, '[]string');
    };
  }

  private mismatch(node: GoNode, place: Place, type: string): void {
    const where = place.path.length === 0 ? 'value' : `struct field ${place.struct}.${place.path.join('.')}`;
    this.failure ??= new GoJsonError(`json: cannot unmarshal ${node.kind} into Go ${where} of type ${type}`);
  }
}

/** A Go slice refilled in place: an element that null leaves alone shows what an earlier duplicate put there. */
class GoSlice {
  private backing: string[] = [];
  private length = 0;

  clear(): void {
    this.backing = [];
    this.length = 0;
  }

  refill(items: readonly ((store: (value: string) => void) => void)[]): void {
    if (items.length === 0) this.clear();
    for (const [at, item] of items.entries()) {
      this.backing[at] ??= '';
      item(value => { this.backing[at] = value; });
    }
    this.length = items.length;
  }

  values(): string[] {
    return this.backing.slice(0, this.length);
  }
}
