/** Tags of keys. https://docs.aws.amazon.com/kms/latest/developerguide/tagging-keys.html */
import type * as sdk from "@aws-sdk/client-kms";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { inTransaction } from "#store/database.ts";
import { unusable } from "../errors.ts";
import { onKey, requiredKey } from "../key-access.ts";
import { keyArn } from "../model.ts";
import { page } from "../paging.ts";
import { updateKey } from "../store.ts";
import { merged, requestTags } from "../tag-rules.ts";

const LISTED = 50;

const keyId = (input: { KeyId: string | undefined }) => input.KeyId!;

type Tags = ReadonlyMap<string, string>;

async function changeTags(call: Call, id: string, change: (tags: Tags) => Tags): Promise<object> {
  return inTransaction(call.db, async (trx) => {
    const key = await requiredKey({ ...call, db: trx }, id);
    if (key.state === "PendingDeletion") throw unusable(keyArn(key), key.state);
    await updateKey(trx, key, { tags: change(key.tags) });
    return {};
  });
}

export const TagResource: OperationOf<sdk.TagResourceCommand> = {
  authorize: onKey("TagResource", keyId, (input) => requestTags(input.Tags)),
  run: (input, call) => changeTags(call, keyId(input), (tags) => merged(tags, input.Tags!)),
};

export const UntagResource: OperationOf<sdk.UntagResourceCommand> = {
  authorize: onKey("UntagResource", keyId, (input) => ({ "aws:tagkeys": input.TagKeys })),
  run: (input, call) =>
    changeTags(call, keyId(input), (tags) => new Map([...tags].filter(([key]) => !input.TagKeys!.includes(key)))),
};

export const ListResourceTags: OperationOf<sdk.ListResourceTagsCommand> = {
  authorize: onKey("ListResourceTags", keyId),
  async run(input, call) {
    const { tags } = await requiredKey(call, keyId(input));
    const sorted = [...tags].sort(([a], [b]) => (a < b ? -1 : 1));
    const { items, ...rest } = await page(
      input,
      LISTED,
      ({ after, limit }) => sorted.filter(([key]) => after === undefined || key > after).slice(0, limit),
      ([key]) => key,
    );
    return { Tags: items.map(([TagKey, TagValue]) => ({ TagKey, TagValue })), ...rest };
  },
};
