using Npgsql;
using Orders.Infrastructure.Outbox;

namespace Orders.Infrastructure.Completeness;

/// <summary>What the application knows about its subjects: which were accepted, what each of them must have, and how its message is made again.</summary>
public interface ICompletenessSource
{
    /// <summary>The kind of subject, such as <c>orders</c>.</summary>
    string Kind { get; }

    /// <summary>Subjects accepted after a mark and before the deadline began, in the order of their ids (version 7 UUIDs: the order of time).</summary>
    /// <param name="connection">The open transaction.</param>
    /// <param name="after">The mark.</param>
    /// <param name="deadline">How long a subject has to become complete.</param>
    /// <param name="limit">How many at most.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <returns>Each with the moment of its own deadline, which may lie ahead for one that was accepted for later.</returns>
    Task<IReadOnlyList<AcceptedSubject>> NextAsync(NpgsqlConnection connection, Guid after, TimeSpan deadline, int limit, CancellationToken cancellationToken);

    /// <summary>Looks at subjects whose deadline has passed.</summary>
    Task<IReadOnlyList<Finding>> InspectAsync(NpgsqlConnection connection, Guid[] subjects, CancellationToken cancellationToken);

    /// <summary>
    /// Makes the message again that should have led to an effect, with the id that it had or would have had: a step that has seen it drops the copy, and the outside world is called with the same key.
    /// </summary>
    /// <returns>The message, addressed to the one step that lacks it; null when it cannot be made.</returns>
    Task<OutboxMessage?> MessageForAsync(NpgsqlConnection connection, Guid subject, string effect, CancellationToken cancellationToken);
}

/// <summary>A subject that was accepted.</summary>
/// <param name="Id">The subject.</param>
/// <param name="CheckAt">When its deadline ends.</param>
public readonly record struct AcceptedSubject(Guid Id, DateTimeOffset CheckAt);

/// <summary>Something wrong with a subject.</summary>
/// <param name="SubjectId">The subject.</param>
/// <param name="Effect">The effect it is about.</param>
/// <param name="Kind">What is wrong.</param>
/// <param name="Detail">A sentence: what was expected, what was found.</param>
/// <param name="Silent">Whether nothing is under way that could still close the gap.</param>
/// <param name="IsEarly">Whether it is no gap yet, because what leads to the effect is too young: the subject is looked at again.</param>
public sealed record Finding(Guid SubjectId, string Effect, GapKind Kind, string Detail, bool Silent, bool IsEarly = false);
