using System.Diagnostics;
using System.Globalization;
using System.Text;
using Orders.Infrastructure.Failures;
using QueueWorkers.DeadLetters;
using QueueWorkers.DeadLetters.Search;

namespace Orders.Dashboard.Tests.Failures;

/// <summary>
/// The search with many failures. Size: <c>ORDERS_SHOW_SEARCH</c>, 1,000,000 in full, where every filter is
/// measured; without it a part, where every filter has to use an index.
/// </summary>
internal sealed class SearchAtScaleTests : DashboardFixture
{
    private static readonly string? Size = Environment.GetEnvironmentVariable("ORDERS_SHOW_SEARCH");
    private static readonly int Count = int.Parse(Size ?? "50000", CultureInfo.InvariantCulture);
    private static readonly TimeSpan Bound = TimeSpan.FromMilliseconds(50);

    // Nothing stands in the queues: the index would be corrected.
    protected override IEnumerable<(string Name, string? Value)> Settings =>
        [("Failures:Index", "false"), ("Redrive:Run", "false")];

    [OneTimeSetUp]
    public async Task FillAsync()
    {
        // Indexes are made afterwards: row by row those of texts take most of the time.
        var indexes = await TestSystem.Database.RowsAsync(
            "select indexname, indexdef from pg_indexes where tablename = 'failures' and indexname <> 'pk_failures'"
        );
        await RunAsync(string.Concat(indexes.Select(i => $"drop index {i[0]};")));
        await RunAsync(Seed.Replace("{count}", Count.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal));
        await RunAsync(
            $"set maintenance_work_mem = '512MB'; {string.Concat(indexes.Select(i => $"{i[1]};"))} reset maintenance_work_mem"
        );
        await RunAsync("vacuum analyze failures");
        await RunAsync("vacuum analyze orders");
    }

    [TestCaseSource(nameof(Filters))]
    public async Task Each_filter_and_combination_finds_its_page_in_time_and_by_an_index(string query)
    {
        query = await FilledInAsync(query);
        var (times, found) = (new List<double>(), 0);
        for (var run = 0; run < 12; run++)
        {
            var watch = Stopwatch.StartNew();
            var answer = await SearchAsync(query);
            times.Add(watch.Elapsed.TotalMilliseconds);
            Assert.That(answer.Status, Is.EqualTo(200), answer.ToString());
            found = answer.Body["total"]!.GetValue<int>();
        }

        times = [.. times.Skip(1).Order()];
        await TestContext.Progress.WriteLineAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{Count} failures, {query}: {found} found, median {times[times.Count / 2]:0.0} ms, longest {times[^1]:0.0} ms"
            )
        );
        Assert.That(found, Is.GreaterThan(0), "the filter must find something, or it measures nothing");
        var plan = await PlanAsync(query);
        Assert.That(plan, Does.Not.Contain("Seq Scan on failures"), plan);
        if (Size is not null)
            Assert.That(times[^1], Is.LessThan(Bound.TotalMilliseconds), plan);
    }

    [Test]
    public async Task Pages_stay_what_they_are_while_others_come_and_go()
    {
        const string query = "step=email&limit=20";
        var first = (await GetAsync($"/api/failures?{query}", ViewerKey)).Body;
        var second = await GetAsync($"/api/failures?{query}&after={first["next"]!.GetValue<Guid>()}", ViewerKey);
        await TestSystem.Database.ExecuteAsync(
            $"update failures set state = {FailureState.Archived:D} where id = (select id from failures where step = 'email' and state = {FailureState.Failed:D} order by id desc limit 1)"
        );
        await TestSystem.Database.ExecuteAsync(Seed.Replace("{count}", "10", StringComparison.Ordinal));
        var again = await GetAsync($"/api/failures?{query}&after={first["next"]!.GetValue<Guid>()}", ViewerKey);
        Assert.That(again.Body["failures"]!.ToJsonString(), Is.EqualTo(second.Body["failures"]!.ToJsonString()));
    }

    // After some calls the database keeps one plan for all values.
    [Test]
    public async Task Customers_are_found_by_their_index_whatever_plan_is_kept()
    {
        await using var connection = await TestSystem.Database.Source.OpenConnectionAsync();
        await using var command = connection.CreateCommand();
        foreach (
            var statement in new[]
            {
                "set plan_cache_mode = force_generic_plan",
                $"prepare found (text, integer) as {OrderDirectory.CustomersOrders}",
            }
        )
        {
            command.CommandText = statement;
            await command.ExecuteNonQueryAsync();
        }

        command.CommandText = "explain execute found ('customer7@example.com', 10)";
        await using var reader = await command.ExecuteReaderAsync();
        var plan = "";
        while (await reader.ReadAsync())
            plan += reader.GetString(0);
        Assert.That(plan, Does.Contain("orders_customer").And.Not.Contain("Seq Scan"));
    }

    private static readonly string[] Filters =
    [
        "state=Failed",
        "state=Redriven",
        "step=email",
        "step=warehouse",
        "queue=inventory_error",
        "fault=Fault0Exception",
        "fault=Fault19Exception",
        "fault=System.Fault3Exception",
        "fault=AncientException",
        "fault=LatestException",
        "group={group}",
        "group={rareGroup}",
        "type=OrderAccepted",
        "type=Orders.Contracts:StockReserved",
        "build=1.0.0",
        "build=1.19.0",
        "order={order}",
        "customer=customer7@example.com",
        "customer=customer12@example.com",
        "from={old}&to={lessOld}",
        "from={recent}",
        "text=printer",
        "text={note}",
        "text=nowhere%20but",
        "path=customer.address.city=City%2017",
        "path=customer.vip=true",
        "path=amount=123",
        "path=customer.name=Customer%20777",
        "step=email&fault=Fault5Exception",
        "step=invoice&fault=AncientException",
        "step=email&from={old}&to={lessOld}",
        "group={group}&from={recent}",
        "step=email&build=1.0.0",
        "fault=Fault0Exception&build=1.0.0",
        "step=email&text=printer",
        "text=printer&from={old}&to={lessOld}",
        "fault=AncientException&text=printer",
        "step=email&path=customer.address.city=City%2017",
        "path=customer.address.city=City%2017&build=1.19.0",
        "customer=customer12@example.com&step=email",
        "order={order}&step=email",
        "state=Redriven&step=email&fault=Fault7Exception",
        "type=OrderAccepted&build=1.3.0&fault=Fault2Exception",
        "step=email&after={middle}",
        "text=printer&after={middle}",
    ];

    private const string Seed = """
        insert into orders (id, client_id, customer_name, customer_email, currency, total, premium, ship_line1,
            ship_city, ship_postal_code, ship_country, created_at)
        select uuidv7(- n * interval '9 seconds'), 'tests', 'Customer ' || n % 5000,
            'customer' || n % 5000 || '@example.com', 'EUR', 1, false, 'x', 'x', 'x', 'DE', now()
            from generate_series(1, {count} / 4) n;
        with o as materialized (select array_agg(id) as ids from orders),
        n as materialized (
            select n, now() - n * interval '2.5 seconds' as at,
                (array['email', 'email', 'inventory', 'invoice', 'warehouse'])[1 + n % 5] as step,
                case when n > {count} - {count} / 500 then 'AncientException'
                    when n < {count} / 500 then 'LatestException'
                    else 'Fault' || floor(power(random(), 3) * 20) || 'Exception' end as fault,
                (array['OrderAccepted', 'OrderAccepted', 'StockReserved', 'OrderCancelled'])[1 + n % 4] as type,
                    o.ids[1 + n % (array_length(o.ids, 1))] as subject
            from generate_series(1, {count}) n, o),
        p as (
            select n.*, jsonb_build_object('orderId', subject, 'amount', n / 11 % 1000, 'customer',
                jsonb_build_object('vip', n / 13 % 4 = 0, 'name', 'Customer ' || n % 5000, 'address',
                jsonb_build_object('city', 'City ' || n / 7 % 50)),
                'note', (array['the printer is on fire', 'ring twice', 'leave it at the door', 'a gift'])[1 + n % 4] ||
                    ' ' || md5(n::text) || case when n % 10000 = 1 then ' nowhere but here' else '' end) as payload
                    from n)
        insert into failures (id, state, kind, queue, identity, generation, copies, message_id, step, message_type,
            subject_id, fault_type, fault_message, stack, fingerprint, attempts, first_at, last_at, build, host,
            payload, body, content_type, headers)
        select uuidv7(at - now()), case when n % 20 = 0 then 3 else 1 end, 1, step || '_error', gen_random_uuid(), 0, 1,
            gen_random_uuid(), step, 'Orders.Contracts:' || type, subject, 'System.' || fault,
            fault || ' on device ' || n % 977 || ' for ' || subject, 'Orders.Workers.Step.Consume(ConsumeContext)',
                left(md5(step || fault || case when n % 1000 = 0 then 'rare' else '' end), 16), 7, at, at,
            '1.' || (n::bigint * 20 - 1) / {count} || '.0', 'worker-' || n % 6, payload,
                convert_to(payload::text, 'UTF8'), 'application/vnd.masstransit+json', '{}'
        from p order by n desc;
        """;

    private async Task RunAsync(string sql)
    {
        await using var command = TestSystem.Database.Source.CreateCommand(sql);
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync();
    }

    private async Task<string> FilledInAsync(string query)
    {
        var text = new StringBuilder(query);
        foreach (
            var (name, sql) in new[]
            {
                (
                    "{group}",
                    $"select fingerprint from failures where state = {FailureState.Failed:D} group by fingerprint order by count(*) desc limit 1"
                ),
                (
                    "{rareGroup}",
                    $"select fingerprint from failures where state = {FailureState.Failed:D} group by fingerprint order by count(*) limit 1"
                ),
                (
                    "{order}",
                    $"select subject_id::text from failures where step = 'email' and state = {FailureState.Failed:D} limit 1"
                ),
                (
                    "{note}",
                    $"select substring(payload->>'note' from '[0-9a-f]{{32}}') from failures where state = {FailureState.Failed:D} limit 1"
                ),
                (
                    "{middle}",
                    "select id::text from failures order by id offset (select count(*) from failures) / 2 limit 1"
                ),
                ("{old}", Moment(0.10)),
                ("{lessOld}", Moment(0.12)),
                ("{recent}", Moment(0.98)),
            }
        )
        {
            if (query.Contains(name, StringComparison.Ordinal))
                text.Replace(name, await TestSystem.Database.ScalarAsync<string>(sql));
        }

        return text.ToString();
    }

    // The payloads here have members that no contract knows: a search of them is an admin's.
    private Task<Answer> SearchAsync(string query)
    {
        var values = query
            .Split('&')
            .Select(p => p.Split('=', 2))
            .ToDictionary(p => p[0], p => (object)Uri.UnescapeDataString(p[1]));
        if (!values.ContainsKey("text") && !values.ContainsKey("path"))
            return GetAsync($"/api/failures?{query}", ViewerKey);
        values.Remove("after", out var after);
        return PostAsync(
            "/api/failures/search",
            AdminKey,
            new
            {
                filter = values,
                reason = "to measure it",
                after,
            }
        );
    }

    private static string Moment(double share) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"select to_char((min(last_at) + (max(last_at) - min(last_at)) * {share}) at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') from failures"
        );

    // The plans of the page's own statements, with the values in it as the driver sends them.
    private async Task<string> PlanAsync(string query)
    {
        var values = query
            .Split('&')
            .Select(p => p.Split('=', 2))
            .ToDictionary(p => p[0], p => Uri.UnescapeDataString(p[1]));
        var filter = new FailureFilter
        {
            State = values.TryGetValue("state", out var state) ? Enum.Parse<FailureState>(state) : null,
            Step = values.GetValueOrDefault("step"),
            Queue = values.GetValueOrDefault("queue"),
            Fault = values.GetValueOrDefault("fault"),
            Group = values.GetValueOrDefault("group"),
            Type = values.GetValueOrDefault("type"),
            Subject = values.GetValueOrDefault("order"),
            Owner = values.GetValueOrDefault("customer"),
            Build = values.GetValueOrDefault("build"),
            From = values.TryGetValue("from", out var from)
                ? DateTimeOffset.Parse(from, CultureInfo.InvariantCulture)
                : null,
            To = values.TryGetValue("to", out var to) ? DateTimeOffset.Parse(to, CultureInfo.InvariantCulture) : null,
            Text = values.GetValueOrDefault("text"),
            Path = values.GetValueOrDefault("path"),
            InMaskedPayloads = true,
        };
        var condition = await FilterSql.OfAsync(
            filter,
            (ISubjectDirectory)Dashboard.Services.GetService(typeof(ISubjectDirectory))!,
            default
        );
        var plan = new StringBuilder(
            await ExplainAsync(condition, FailureSearch.CountOf(condition, FailureSearch.MostCounted + 1))
        );
        if (values.TryGetValue("after", out var after))
            condition.Add("f.id < {0}", Guid.Parse(after));
        return plan.Append(await ExplainAsync(condition, FailureSearch.PageOf(condition, 51))).ToString();
    }

    private async Task<string> ExplainAsync(FilterSql condition, string statement)
    {
        await using var connection = await TestSystem.Database.Source.OpenConnectionAsync();
        await using var command = condition.Command(
            connection,
            $"explain {(Size is null ? "" : "(analyze, buffers)")} {statement}"
        );
        await using var reader = await command.ExecuteReaderAsync();
        var plan = new StringBuilder();
        while (await reader.ReadAsync())
            plan.AppendLine(reader.GetString(0));
        return plan.ToString();
    }
}
