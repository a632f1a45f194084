using Orders.Dashboard.Auth;
using Orders.Dashboard.Login;
using Orders.Dashboard.Proxy;
using Orders.Dashboard.Viewing;
using QueueWorkers.Operators;
using QueueWorkers.Operators.Accounts;

namespace Orders.Dashboard.Accounts;

/// <summary>
/// Changes an operator's own password. The present one is checked within the limits of a login: who finds an open
/// browser guesses no faster than at the door.
/// </summary>
internal sealed class OwnPassword(
    OperatorStore operators,
    OperatorAccounts accounts,
    LoginLimits limits,
    LoginQueue queue,
    AuditLog audit
)
{
    private const string Busy = "Too many logins are being checked. Try again in a few seconds.";

    /// <summary>Changes it.</summary>
    /// <returns>Why not, as a sentence; null when it is changed.</returns>
    /// <exception cref="System.Data.Common.DbException">The database cannot be asked.</exception>
    public async Task<string?> ChangeAsync(Actor actor, HttpContext http, string present, string next)
    {
        var address = ClientAddress.Of(http);
        if (limits.TryBegin(actor.Name, address) is { } wait)
            return $"Too many wrong passwords. Try again in {Texts.Duration(wait)}.";
        bool? right = null;
        try
        {
            using var turn = await queue.TryEnterAsync(isFamiliar: true, http.RequestAborted);
            if (turn is null)
                return Busy;
            if (await operators.FindByNameAsync(actor.Name, http.RequestAborted) is not { PasswordHash: not null } own)
                return "The identity provider holds your password. Change it there.";
            right = await accounts.ChangeOwnPasswordAsync(
                ActingSecret.Of(http),
                own,
                present,
                next,
                http.RequestAborted
            );
        }
        catch (AccountRefusedException refused)
        {
            return refused.Message;
        }
        finally
        {
            limits.End(actor.Name, address, right);
        }

        if (right is true)
            return null;
        await audit.WriteAsync(
            Audit.Record.Of(
                actor,
                "change-own-password",
                $"operator {actor.Name}",
                reason: null,
                result: "wrong password"
            ),
            http.RequestAborted
        );
        return "The present password is wrong.";
    }
}
