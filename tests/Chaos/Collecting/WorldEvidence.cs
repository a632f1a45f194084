using System.Net.Http.Json;
using Orders.Chaos.Checking;

namespace Orders.Chaos.Collecting;

/// <summary>Reads the ledgers of mail server and warehouse, which the system under test does not write.</summary>
public sealed class WorldEvidence(HttpClient world)
{
    private const int Accepted = 200;

    /// <summary>Reads them.</summary>
    public async Task<Evidence> ReadAsync(CancellationToken cancellationToken = default)
    {
        var mails = await world.GetFromJsonAsync<MailLine[]>("mails", cancellationToken) ?? [];
        var calls = await world.GetFromJsonAsync<CallLine[]>("warehouse", cancellationToken) ?? [];
        return new Evidence
        {
            Mails = [.. mails.SelectMany(m => m.To.Split(", "), (m, to) => new DeliveredMail(m.MessageId ?? "", to))],
            WarehouseCalls =
            [
                .. calls
                    .Where(c => c.Answer == Accepted)
                    .Select(c => new AcceptedCall(Guid.Parse(c.OrderId!), c.IdempotencyKey!)),
            ],
        };
    }

    private sealed record MailLine(string? MessageId, string To);

    private sealed record CallLine(string? OrderId, string? IdempotencyKey, int Answer);
}
