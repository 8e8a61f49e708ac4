// Uses the types that openapi-typescript generates from the OpenAPI documents. The test of the
// documents compiles it.
import createClient from "openapi-fetch";
import type { paths as BFF } from "./bff";
import type { paths as Commission } from "./commission";
import type { paths as Tracking } from "./tracking";

const bff = createClient<BFF>({ baseUrl: "http://localhost:8002" });
const commission = createClient<Commission>({ baseUrl: "http://localhost:8001" });
const tracking = createClient<Tracking>({ baseUrl: "http://localhost:8000" });

export async function run(): Promise<string[]> {
  await bff.POST("/api/v1/payments/request", {
    body: {
      amount: "150.00",
      currency: "USD",
      payment_method: "paypal",
      account_details: { email: "user@example.com" },
    },
  });

  const amounts: string[] = [];
  const balance = await bff.GET("/api/v1/balance");
  for (const b of balance.data?.balances ?? []) amounts.push(b.available);

  const earned = await commission.GET("/api/v1/commission/commissions");
  if (earned.data) for (const row of earned.data.data) amounts.push(row.amount);

  const events = await tracking.GET("/api/v1/tracking/events");
  if (events.data) for (const event of events.data.data) amounts.push(event.event_id);

  return amounts;
}
