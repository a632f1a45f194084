using System.Net.Sockets;
using Npgsql;

namespace Orders.Chaos.Running;

/// <summary>Waits until the parts of the installation answer again.</summary>
internal sealed class Answers(Installation installation)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>Waits until the parts of these names answer; other names need no waiting.</summary>
    public async Task UntilAnswerAsync(IEnumerable<string> targets, CancellationToken cancellationToken)
    {
        foreach (var target in targets.Distinct())
        {
            switch (target)
            {
                case "postgres":
                    await UntilAsync(
                        "PostgreSQL",
                        async () =>
                        {
                            await using var command = installation.Probe.CreateCommand("select 1");
                            return await command.ExecuteScalarAsync(cancellationToken) is 1;
                        },
                        cancellationToken
                    );
                    break;
                case "rabbitmq":
                    await UntilAsync("the broker", () => SpeaksAmqpAsync(cancellationToken), cancellationToken);
                    break;
                case "smtp" or "warehouse-calls" or "outside-world":
                    await UntilAsync(
                        "the outside world",
                        async () =>
                            (await installation.World.GetAsync("health/live", cancellationToken)).IsSuccessStatusCode,
                        cancellationToken
                    );
                    break;
                default:
                    break;
            }
        }
    }

    // A published port accepts connections although nobody listens behind it: only an answer counts.
    private async Task<bool> SpeaksAmqpAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(2));
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", installation.AmqpPort, limit.Token);
        await client.GetStream().WriteAsync("AMQP\0\0\x09\x01"u8.ToArray(), limit.Token);
        return await client.GetStream().ReadAsync(new byte[8], limit.Token) == 8;
    }

    /// <summary>Waits until something answers as it should. Another fault may have it at this moment.</summary>
    /// <exception cref="TimeoutException">It did not for 90 s.</exception>
    public static async Task UntilAsync(string what, Func<Task<bool>> answers, CancellationToken cancellationToken)
    {
        var deadline = DateTimeOffset.UtcNow + Patience;
        var found = "another answer";
        while (DateTimeOffset.UtcNow < deadline)
        {
            try
            {
                if (await answers())
                    return;
            }
            catch (Exception fault)
                when (fault
                        is NpgsqlException
                            or SocketException
                            or HttpRequestException
                            or IOException
                            or TimeoutException
                    || (fault is OperationCanceledException && !cancellationToken.IsCancellationRequested)
                )
            {
                found = fault.Message;
            }

            await Task.Delay(Pause, cancellationToken);
        }

        throw new TimeoutException($"{what} did not answer within {Patience.TotalSeconds:0} s: {found}");
    }
}
