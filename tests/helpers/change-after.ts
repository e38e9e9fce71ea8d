import { type Database, outsideTransaction } from "#store/database.ts";

/**
 * The database, and beside it somebody whose `change` begins when the n-th query has its answer: before the query after it,
 * unless both are of one transaction. `changed` says when it is done, undefined where it did not come to that.
 */
export function withChangeAfter(db: Database, n: number, change: () => Promise<unknown>) {
  let queries = 0;
  const beside: { readonly db: Database; changed?: Promise<unknown> } = {
    db: db.withPlugin({
      transformQuery: ({ node }) => node,
      transformResult: async ({ result }) => {
        queries++;
        if (queries === n) beside.changed = outsideTransaction(change);
        return result;
      },
    }),
  };
  return beside;
}
