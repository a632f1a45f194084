using System.Text.Json;
using System.Text.Json.Serialization;
using Npgsql;
using NpgsqlTypes;
using QueueWorkers.Outbox.Ids;

namespace Orders.Infrastructure.Feeding;

/// <summary>Which orders to act on. All that are given must hold.</summary>
/// <param name="From">Accepted at this moment or later.</param>
/// <param name="To">Accepted before this moment.</param>
/// <param name="Status">In this status.</param>
/// <param name="Premium">Of this class.</param>
/// <param name="Client">Of this client.</param>
/// <param name="Step">Still needing this step.</param>
public sealed record OrderChoice(
    DateTimeOffset? From = null,
    DateTimeOffset? To = null,
    OrderStatus? Status = null,
    bool? Premium = null,
    string? Client = null,
    string? Step = null
)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter() },
    };

    /// <summary>Whether it would select every order.</summary>
    [JsonIgnore]
    public bool IsEmpty => this == new OrderChoice();

    /// <summary>Reads one.</summary>
    /// <exception cref="JsonException">With what is wrong.</exception>
    public static OrderChoice Parse(string json)
    {
        try
        {
            var choice = JsonSerializer.Deserialize<OrderChoice>(json, Json) ?? new OrderChoice();
            return choice.Status is { } status && !Enum.IsDefined(status)
                ? throw new JsonException($"there is no status {status}.")
                : choice;
        }
        catch (JsonException problem)
        {
            throw new JsonException(
                $"a filter of orders is a JSON object with from, to, status, premium, client and step, all optional; {problem.Message}",
                problem
            );
        }
    }

    /// <summary>As JSON, only what was given.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <summary>
    /// The condition on <c>orders o</c> and <c>order_progress p</c>. An order's id carries its time: bounds on time are
    /// bounds on the key.
    /// </summary>
    /// <param name="parameters">Where its values go.</param>
    internal string Condition(NpgsqlParameterCollection parameters)
    {
        string With(NpgsqlParameter parameter)
        {
            parameters.Add(parameter);
            return $"${parameters.Count}";
        }

        List<string> conditions = ["true"];
        if (From is { } from)
            conditions.Add($"o.id >= {With(new NpgsqlParameter<Guid> { TypedValue = TimedId.FirstAt(from) })}");
        if (To is { } to)
            conditions.Add($"o.id < {With(new NpgsqlParameter<Guid> { TypedValue = TimedId.FirstAt(to) })}");
        if (Status is { } status)
            conditions.Add($"p.status = {With(new NpgsqlParameter<short> { TypedValue = (short)status })}{Rare}");
        if (Premium is { } premium)
            conditions.Add($"o.premium = {With(new NpgsqlParameter<bool> { TypedValue = premium })}");
        if (Client is { } client)
            conditions.Add(
                $"o.client_id = {With(new NpgsqlParameter { Value = client, NpgsqlDbType = NpgsqlDbType.Text })}"
            );
        if (Step is { } step)
            conditions.Add(
                $"""
                exists (select from step_catalogue n where n.bit & p.required <> 0 and n.bit & p.done = 0
                    and n.step = {With(new NpgsqlParameter { Value = step, NpgsqlDbType = NpgsqlDbType.Text })})
                """
            );
        return string.Join(" and ", conditions);
    }

    // Says what the status implies, so that the planner may use the index order_progress_unusual.
    private string Rare =>
        Status switch
        {
            OrderStatus.NeedsAttention => " and p.failed <> 0",
            OrderStatus.Rejected => " and p.rejected_at is not null",
            OrderStatus.Cancelled => " and p.cancelled_at is not null",
            _ => "",
        };
}
