{{ config(materialized='view') }}

-- The orders that fact_orders does not count, and why.
SELECT *
FROM (
    SELECT DISTINCT
        o.*,
        CASE
            WHEN o.order_timestamp IS NULL THEN 'no time'
            WHEN o.product_id IS NULL THEN 'no product'
            WHEN p.product_id IS NULL THEN 'unknown product'
            WHEN o.region IS NULL THEN 'no region'
            WHEN o.amount_cents IS NULL THEN 'no amount'
            WHEN o.amount_cents < 0 THEN 'negative amount'
        END AS reason
    FROM {{ source('landing', 'orders') }} AS o
    LEFT JOIN {{ source('landing', 'product') }} AS p USING (product_id)
)
WHERE reason IS NOT NULL
