{{ config(
    materialized='incremental',
    incremental_strategy='microbatch',
    event_time='window_start',
    batch_size='hour',
    begin=var('begin'),
    lookback=var('lookback'),
    concurrent_batches=false
) }}

-- DISTINCT: an order that was delivered twice counts once. What the join and the filter leave out
-- stands in rejected_orders.
SELECT
    date_trunc('hour', o.order_timestamp) AS window_start,
    p.category,
    o.region,
    count(*) AS orders,
    CAST(sum(o.amount_cents) AS BIGINT) AS revenue_cents
FROM (SELECT DISTINCT * FROM {{ source('landing', 'orders') }}) AS o
JOIN {{ source('landing', 'product') }} AS p USING (product_id)
WHERE o.region IS NOT NULL AND o.amount_cents >= 0
GROUP BY ALL
