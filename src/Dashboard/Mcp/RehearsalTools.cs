using ModelContextProtocol;
using Orders.Dashboard.Auth;
using QueueWorkers.Hosting.Borders;

namespace Orders.Dashboard.Mcp;

/// <summary>
/// What is rehearsed first and confirmed then: an assistant changes only what its own operator has rehearsed, and says
/// why.
/// </summary>
/// <typeparam name="T">What is rehearsed.</typeparam>
/// <param name="caller">Who calls.</param>
/// <param name="what">What it is called: "redrive".</param>
/// <param name="page">The dashboard's page of all of them.</param>
internal abstract class RehearsalTools<T>(ToolCaller caller, string what, string page)
    where T : class
{
    /// <summary>Reads one; null when there is none.</summary>
    protected abstract Task<T?> ReadAsync(Guid id, CancellationToken cancellationToken);

    /// <summary>Who has rehearsed it.</summary>
    protected abstract string MadeBy(T found);

    /// <summary>Why nobody may change it here, as the rest of a sentence: " with a patch"; null when one may.</summary>
    protected virtual string? Barred(T found) => null;

    /// <summary>As everybody may see it.</summary>
    protected abstract object Shown(T found);

    /// <summary>The operator of the key, who may change something and has said why.</summary>
    /// <exception cref="McpException">The role is too low, which is recorded, or the reason is missing or too
    /// long.</exception>
    protected async Task<Actor> OperatorAsync(string tool, string? reason, CancellationToken cancellationToken)
    {
        var actor = await caller.OperatorAsync(tool, cancellationToken);
        // The API's limit looks at its own bodies; here the reason stands deeper in one of the protocol. It is kept for
        // ever.
        return !string.IsNullOrWhiteSpace(reason) && reason.Length <= IncomingText.LongestReason
            ? actor
            : throw new McpException($"reason must say why, in at most {IncomingText.LongestReason} characters.");
    }

    /// <summary>One as everybody may see it.</summary>
    protected async Task<object> ShowAsync(Guid id, CancellationToken cancellationToken) =>
        Shown(await FindAsync(id, cancellationToken));

    /// <summary>Changes one that the same operator has rehearsed, and shows what it is then.</summary>
    /// <exception cref="McpException">It is another operator's, or one of the reasons of <see cref="OperatorAsync"/>.
    /// </exception>
    protected async Task<object> ChangeAsync(
        string tool,
        Guid id,
        string reason,
        Func<T, Actor, Task> change,
        CancellationToken cancellationToken
    )
    {
        var actor = await OperatorAsync(tool, reason, cancellationToken);
        var found = await FindAsync(id, cancellationToken);
        // An assistant that was misled can do nothing to what people have made, nor start what it has not shown.
        if (MadeBy(found) != actor.Name || Barred(found) is not null)
            throw new McpException(
                $"{char.ToUpperInvariant(what[0])}{what[1..]} {id} was made by {MadeBy(found)}{Barred(found)}; here only those can be changed that {actor.Name} has rehearsed here. See the dashboard's page {page}."
            );
        await change(found, actor);
        return await ShowAsync(id, cancellationToken);
    }

    private async Task<T> FindAsync(Guid id, CancellationToken cancellationToken) =>
        await ReadAsync(id, cancellationToken) ?? throw new McpException($"There is no {what} {id}.");
}
