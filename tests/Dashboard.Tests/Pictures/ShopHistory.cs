using QueueWorkers.Scheduling;

namespace Orders.Dashboard.Tests.Pictures;

/// <summary>
/// What was before the day of the pictures: two weeks of figures, busier at noon than at night, two deployments, and as
/// many orders as these figures say.
/// </summary>
internal static class ShopHistory
{
    private const int FirstOrder = 3_628_801;

    /// <summary>Writes it, and deploys the schedules.</summary>
    public static async Task WriteAsync(OrdersSystem system)
    {
        var data = system.Database;
        await data.ExecuteAsync($"alter sequence order_number restart with {FirstOrder}");
        await data.ExecuteAsync(
            """
            insert into step_history (seconds, begins, step, done, failed, dead_lettered, run, queue, total)
            select seconds, begins, step, done, done / 200, done / 4000,
                array(select round(done * exp(-((i - 26 - position) ^ 2) / 18.0) / 7.52)::int
                    from generate_series(0, 95) i),
                array(select round(done * exp(-((i - 20) ^ 2) / 32.0) / 10.03)::int from generate_series(0, 95) i),
                array(select round(done * exp(-((i - 29 - position) ^ 2) / 32.0) / 10.03)::int
                    from generate_series(0, 95) i)
            from (
                select seconds, begins, step, position % 4 as position,
                    (seconds * (3 - 2 * cos(extract(epoch from begins)::bigint % 86400 / 86400.0 * 2 * pi()))
                        * case step when 'webhook' then 0.2 else 1 end)::bigint as done
                from step_catalogue, unnest(array[60, 3600]) seconds, generate_series(1, 350) n,
                    lateral (select date_trunc(case seconds when 60 then 'minute' else 'hour' end, now())
                        - n * seconds * interval '1 second' as begins) at
            ) was
            on conflict do nothing
            """
        );
        await data.ExecuteAsync(
            "insert into step_builds (step, build, first_seen_at) select step, build, now() - ago from step_catalogue, (values ('1.3.0', interval '9 days'), ('1.4.0', interval '70 hours')) as b(build, ago)"
        );
        await NameProcessesAsync(system);
        await new ScheduleDeployment(data.Source, Workers.Schedules.Catalogue).DeployAsync(CancellationToken.None);
        // What takes minutes in a shop that people look at takes seconds here.
        await data.ExecuteAsync("update alert_rules set hold = interval '1 second'");
        await data.ExecuteAsync("update alert_rules set threshold = 5 where name = 'waiting-retries'");
    }

    // Not after the machine and the test that take the pictures.
    private static Task<int> NameProcessesAsync(OrdersSystem system) =>
        system.Database.ExecuteAsync(
            """
            create function name_host() returns trigger language plpgsql as
                $$begin new.host := 'worker-1'; return new; end$$;
            create function name_build() returns trigger language plpgsql as
                $$begin new.build := '1.4.0'; return new; end$$;
            create function name_worker() returns trigger language plpgsql security definer as
                $$begin
                    new.host := case when tg_op = 'UPDATE' then old.host
                        else 'worker-' || 1 + (select count(*) from workers where id <> new.id) end;
                    new.version := '1.4.0';
                    return new;
                end$$;
            create trigger named before insert or update on step_attempts for each row execute function name_host();
            create trigger named before insert or update on failures for each row execute function name_host();
            create trigger built before insert or update on failures for each row execute function name_build();
            create trigger built before insert on step_builds for each row execute function name_build();
            create trigger named before insert or update on workers for each row execute function name_worker()
            """
        );
}
