-- The first rules of a new programme. A rule with a narrower scope or a higher priority precedes
-- them. They are data: a database that has any rule keeps its rules.
DO $$
BEGIN
    LOCK TABLE rules IN SHARE ROW EXCLUSIVE MODE;

    IF EXISTS (SELECT FROM rules) THEN
        RETURN;
    END IF;

    INSERT INTO rules
        (rule_id, version, name, event_type, currency, kind, rate, flat_amount,
         effective_from, published_at, revision)
    SELECT
        rule_id::uuid, 1, name, event_type, currency, kind, rate, flat_amount,
        '2000-01-01Z', '2000-01-01Z', 1
    FROM (VALUES
        ('00000000-0000-7000-8000-000000000001', 'Purchase: 10 % of the amount',
            'purchase', NULL, 'percentage', '0.1', NULL),
        ('00000000-0000-7000-8000-000000000002', 'Sale: 10 % of the amount',
            'sale', NULL, 'percentage', '0.1', NULL),
        ('00000000-0000-7000-8000-000000000003', 'View: 0.025 USD',
            'view', 'USD', 'flat', NULL, '0.025'),
        ('00000000-0000-7000-8000-000000000004', 'Click: 0.20 USD',
            'click', 'USD', 'flat', NULL, '0.2'),
        ('00000000-0000-7000-8000-000000000005', 'Engagement: 0.75 USD',
            'engagement', 'USD', 'flat', NULL, '0.75')
    ) AS first (rule_id, name, event_type, currency, kind, rate, flat_amount);

    INSERT INTO commission_events (rule_id, sequence, type, caused_by, cause_id, version)
    SELECT rule_id, 1, 'rule.published', 'operator', 'first-rules', version
    FROM rules
    ORDER BY rule_id;
END $$;
